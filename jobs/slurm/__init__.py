"""A joblist as an array of Slurm jobs, without a server.

::

    submit -> folder: plan, jobs, lists of a round -> array of tasks, a journal each
                                                   -> joins: films that were cut   (afterany)
                                                   -> merge: complete? if not, another round

In: a joblist and the options of sbatch. Out: a folder with the plan, the lists of each round, the
journals of the tasks, and a table of the results.
Used by the commands `python -m jobs slurm ...`.
"""
