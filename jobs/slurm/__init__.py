"""A joblist as an array of Slurm jobs: what is to be done, who does it, and how far it is.

::

    submit -> folder: plan, jobs, lists of a round -> array of tasks, a journal each
                                                   -> joins: films that were cut   (afterany)
                                                   -> merge: complete? if not, another round
"""
