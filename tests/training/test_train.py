import json

import numpy as np
import platformdirs
import pytest

torch = pytest.importorskip("torch")

from analyzer import registry  # noqa: E402
from analyzer.__main__ import main  # noqa: E402
from analyzer.attributes.heads import SIZES  # noqa: E402
from analyzer.errors import WeightsError  # noqa: E402
from analyzer.inference.runtime import Runtime  # noqa: E402
from analyzer.stages.describe import _dlib_attributes, _dlib_dat  # noqa: E402
from analyzer.stages.describe._dlib_attributes import Attributes  # noqa: E402
from analyzer.training import (  # noqa: E402
    _correct,
    _identity_heads,
    _loss,
    attributes,
)
from analyzer.training._fit import Fit, TrainingPictures  # noqa: E402
from analyzer.training._network import Branch, Trunk  # noqa: E402
from analyzer.weights import locate  # noqa: E402

RUNTIME = Runtime(device="cpu")
EPOCHS = 3


class Coloured:
    """A dataset with its classes as the brightness of stripes: easy to learn."""

    digest = "coloured"

    def __init__(self, n: int = 720) -> None:
        rng = np.random.default_rng(0)
        sizes = {"sex": 2, "age": 9, "ethnicity": 7}
        self.labels = {name: rng.integers(0, size, n) for name, size in sizes.items()}

    def __len__(self) -> int:
        return len(self.labels["sex"])

    def chips(self, start: int, stop: int) -> np.ndarray:
        count = len(self.labels["sex"][start:stop])
        chips = np.zeros((count, 150, 150, 3), np.uint8)
        for third, (name, scale) in enumerate([("sex", 200), ("age", 30), ("ethnicity", 40)]):
            shade = (self.labels[name][start:stop] * scale).astype(np.uint8)
            chips[:, third * 50 : third * 50 + 50, :, third] = shade[:, None, None]
        return chips


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platformdirs, "user_cache_path", lambda name: folder / name)
        yield folder


@pytest.fixture(scope="module")
def network():
    return _dlib_dat.read(locate.locate("dlib_resnet"))


def train(path, **options):
    return attributes.train(Coloured(), runtime=RUNTIME, out=path, seed=3, epochs=EPOCHS, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from start to end: its file, its report, and what it told."""
    path, steps = tmp_path_factory.mktemp("whole") / "a", []
    return path, train(path, progress=steps.append), steps


def test_a_run_tells_how_far_it_is_and_what_came_out(whole):
    path, report, steps = whole
    assert [step.done for step in steps if step.stage == "train"][-1] == EPOCHS
    assert report["count"] == 72
    assert report["sizes"]["150"]["overall"]["sex_accuracy"]["value"] > 0.7
    about = _dlib_attributes.metadata(path)
    assert about["command"].endswith(f"--seed 3 --epochs {EPOCHS}")
    assert about["data_sha256"] == "coloured"
    assert json.loads(about["tuning_figures"])["150"] == report["sizes"]["150"]["overall"]
    assert _dlib_attributes.calibration(path).octaves.tolist()[0] == 0
    assert [file.name for file in path.parent.iterdir()] == ["a"]


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(whole, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step):
        if step.stage == "train" and step.done > 1:
            raise Stopped

    with pytest.raises(Stopped):
        train(tmp_path / "b", progress=stop)
    assert (tmp_path / "b.checkpoint").exists()
    resumed = []
    report = train(tmp_path / "b", resume=True, progress=resumed.append)
    assert next(step.done for step in resumed if step.stage == "train") > 1
    assert report == whole[1]
    first, second = (_dlib_attributes.load(path).tensors for path in (whole[0], tmp_path / "b"))
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, second[name])


def test_a_trained_file_is_calibrated_anew(whole, tmp_path):
    path, report, _ = whole
    out = tmp_path / "c"
    again = attributes.calibrate(Coloured(), path, runtime=RUNTIME, out=out)
    assert again["sizes"]["20"]["overall"]["age_held"] is not None
    before, after = (_dlib_attributes.metadata(file) for file in (path, out))
    assert before.keys() == after.keys()
    assert before["command"] == after["command"]
    first, second = (_dlib_attributes.load(file).tensors for file in (path, out))
    for name in (name for name in first if "convolution" in name or "hidden" in name):
        np.testing.assert_array_equal(first[name], second[name])
    right = [r["sizes"]["150"]["overall"]["sex_accuracy"]["value"] for r in (report, again)]
    assert right[0] == pytest.approx(right[1], abs=0.05)
    others = Coloured()
    others.digest = "others"
    with pytest.raises(WeightsError, match="other pictures"):
        attributes.calibrate(others, path, runtime=RUNTIME)
    with pytest.raises(WeightsError, match="no attribute network"):
        attributes.calibrate(others, tmp_path / "none", runtime=RUNTIME)


def test_a_file_that_is_in_use_changes_only_when_all_is_measured(whole, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step):
        raise Stopped

    path = tmp_path / "d"
    path.write_bytes(whole[0].read_bytes())
    with pytest.raises(Stopped):
        attributes.calibrate(Coloured(), path, runtime=RUNTIME, progress=stop)
    assert path.read_bytes() == whole[0].read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["d"]


def test_what_only_trains_is_refused_beside_calibrate(tmp_path, capsys):
    arguments = ["train", "attributes", "--data", str(tmp_path), "--calibrate", "a"]
    assert main([*arguments, "--resume"]) == 2
    assert main([*arguments, "--teacher", "b"]) == 2
    assert main([*arguments, "--start", "b"]) == 2
    assert "trains nothing" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--average", "b"])
    assert "not allowed with argument --calibrate" in capsys.readouterr().err


def test_a_mean_wants_two_files_and_nothing_that_trains(tmp_path, capsys):
    arguments = ["train", "attributes", "--data", str(tmp_path), "--average", "a"]
    assert main(arguments) == 2
    assert "two files or more" in capsys.readouterr().err
    assert main([*arguments, "--average", "b", "--start", "c"]) == 2
    assert "--average trains nothing" in capsys.readouterr().err


def test_a_branch_with_teachers_learns_from_them_and_says_which(whole, tmp_path):
    train(tmp_path / "c", teachers=[whole[0]])
    about = _dlib_attributes.metadata(tmp_path / "c")
    assert about["teachers_sha256"] == locate.sha256(whole[0])
    assert about["command"].endswith(" --teacher FILE")
    alone, taught = (_dlib_attributes.load(path).tensors for path in (whole[0], tmp_path / "c"))
    assert (alone["sex.weight"] != taught["sex.weight"]).any()


def test_a_branch_that_starts_from_a_file_goes_on_from_what_that_says(whole, network, tmp_path):
    weights, data = _dlib_attributes.load(whole[0]), Coloured(64)
    chips = data.chips(0, 64)
    labels = {head: torch.from_numpy(classes) for head, classes in data.labels.items()}
    wanted = _loss.targets(labels), _loss.sex_weights(labels)
    pictures = TrainingPictures(chips, np.arange(64), *wanted)
    trunk, start, before = Trunk(network), Branch.of(network, weights), Branch.of(network, weights)
    fit = Fit(trunk, start, [], pictures, seed=0, epochs=1, device="cpu")
    with torch.no_grad():
        x = trunk(torch.from_numpy(chips))
        values, expected = (branch.heads(branch.features(x)) for branch in (fit.branch, before))
    assert fit.branch.scale.std() > 0
    for head in SIZES:
        np.testing.assert_allclose(values[head].numpy(), expected[head].numpy(), atol=2e-3)


def test_a_branch_that_starts_from_a_file_says_from_which(whole, tmp_path):
    train(tmp_path / "e", start=whole[0])
    about = _dlib_attributes.metadata(tmp_path / "e")
    assert about["start_sha256"] == locate.sha256(whole[0])
    assert about["command"].endswith(" --start FILE")


@pytest.fixture(scope="module")
def further(whole, tmp_path_factory):
    """Two runs that start from the whole one, with different seeds."""
    folder = tmp_path_factory.mktemp("further")
    for seed in (1, 2):
        attributes.train(
            Coloured(), runtime=RUNTIME, out=folder / str(seed), seed=seed, epochs=1, start=whole[0]
        )
    return [folder / "1", folder / "2"]


def test_a_branch_that_is_trained_further_keeps_the_heads_on_stages_that_do_not_change(
    whole, further
):
    before, after = (_dlib_attributes.load(path).tensors for path in (whole[0], further[0]))
    names = [name for name in before if name.startswith("identity.hidden")]
    for name in names:
        np.testing.assert_array_equal(before[name], after[name])
    assert names
    assert (before["hidden.weight"] != after["hidden.weight"]).any()


def test_a_mean_of_branches_is_between_them_and_says_of_which(further, tmp_path):
    report = attributes.average(Coloured(), further, runtime=RUNTIME, out=tmp_path / "mean")
    assert report["sizes"]["150"]["overall"]["sex_accuracy"]["value"] > 0.7
    files = (*further, tmp_path / "mean")
    one, two, mean = (_dlib_attributes.load(path).tensors for path in files)
    name = "convolution.03.filters"
    np.testing.assert_allclose(mean[name], (one[name] + two[name]) / 2, atol=2e-3)
    about = _dlib_attributes.metadata(tmp_path / "mean")
    assert about["averaged_sha256"] == " ".join(map(locate.sha256, further))
    assert about["seed"] == "1 2"
    assert about["command"].endswith(" --average FILE --average FILE")


def test_a_mean_is_of_branches_with_one_start_and_of_these_pictures(whole, further, tmp_path):
    out = tmp_path / "mean"
    with pytest.raises(WeightsError, match=r"not trained further .* from another"):
        attributes.average(Coloured(), [further[0], whole[0]], runtime=RUNTIME, out=out)
    with pytest.raises(WeightsError, match="named twice"):
        attributes.average(Coloured(), [further[0], further[0]], runtime=RUNTIME, out=out)
    about = _dlib_attributes.metadata(further[0])
    other, weights = tmp_path / "other", _dlib_attributes.load(further[0])
    _dlib_attributes.save(weights, other, {**about, "start_sha256": "another"})
    with pytest.raises(WeightsError, match="not trained further from the same file"):
        attributes.average(Coloured(), [further[0], other], runtime=RUNTIME, out=out)
    del about["start_sha256"]
    _dlib_attributes.save(weights, other, about)
    with pytest.raises(WeightsError, match=r"not trained further .* from another"):
        attributes.average(Coloured(), [further[0], other], runtime=RUNTIME, out=out)
    others = Coloured()
    others.digest = "others"
    with pytest.raises(WeightsError, match="other pictures"):
        attributes.average(others, further, runtime=RUNTIME, out=out)
    assert not out.exists()


def test_a_teacher_is_the_branch_of_its_file(whole, network, tmp_path):
    trunk, weights = Trunk(network), _dlib_attributes.load(whole[0])
    chips = np.random.default_rng(0).integers(0, 256, (4, 150, 150, 3), np.uint8)
    teacher = Branch.of(network, weights)
    with torch.no_grad():
        values = teacher.heads(teacher.features(trunk(torch.from_numpy(chips))))
    own = {k: v for k, v in weights.tensors.items() if not k.startswith("identity.")}
    silent = {k: 0 * v for k, v in weights.tensors.items() if k.startswith("identity.")}
    path = tmp_path / "own"
    _dlib_attributes.save(Attributes({**own, **silent}), path, {})
    describer = registry.load(
        "describe", f"dlib_resnet:heads={path},mirror=false", runtime=RUNTIME, attributes=("age",)
    )
    got = describer.describe(chips).heads["age"]
    np.testing.assert_allclose(got, values["age"].numpy(), atol=0.03)


def test_exported_branch_gives_what_torch_gives(tmp_path, network):
    torch.manual_seed(0)
    trunk, branch = Trunk(network), Branch(network)
    chips = np.random.default_rng(0).integers(0, 256, (4, 150, 150, 3), np.uint8)
    with torch.no_grad():
        x = trunk(torch.from_numpy(chips))
        branch.standardize(branch.features(x))
        expected = branch.heads(branch.features(x))
    path = tmp_path / "branch"
    views = np.random.default_rng(0).uniform(0, 1, (2, 64, 704)).astype(np.float32)
    labels = {name: torch.zeros(64, dtype=torch.int64) for name in SIZES}
    heads = _identity_heads.train(views, _loss.targets(labels), torch.ones(64, 1), 0)
    tensors = Attributes.rounded({**branch.export(), **heads})
    _dlib_attributes.save(tensors, path, {})
    describer = registry.load(
        "describe",
        f"dlib_resnet:heads={path},mirror=false",
        runtime=RUNTIME,
        attributes=("sex", "age"),
    )
    got = describer.describe(chips).heads
    frozen, t = describer.features(chips), tensors.tensors
    hidden = np.maximum(frozen @ t["identity.hidden.weight"].T + t["identity.hidden.bias"], 0)
    for name in ("sex", "age"):
        own = hidden @ t[f"identity.{name}.weight"].T + t[f"identity.{name}.bias"]
        np.testing.assert_allclose(got[name], expected[name].numpy() + own, atol=0.03)


def test_near_ages_are_less_wrong_than_far_ones():
    labels = {name: torch.tensor([4]) for name in ("age", "ethnicity")} | {"sex": torch.tensor([1])}

    def loss(age):
        values = {"sex": torch.zeros(1, 1), "ethnicity": torch.zeros(1, 7)}
        values["age"] = 4 * torch.eye(9)[[age]]
        return float(_loss.total(values, _loss.targets(labels), torch.ones(1, 1)))

    assert loss(4) < loss(5) < loss(8)
    assert loss(3) == pytest.approx(loss(5))


@pytest.mark.parametrize("offsets", [[0.7], [0.5, -0.5, 0.2, -0.2]])
def test_a_correction_finds_the_scale_and_offsets_that_were_taken_away(offsets):
    random = np.random.default_rng(0)
    true = random.normal(0, 2, (20_000, len(offsets)))
    shown = (true - offsets) / 0.6
    if len(offsets) == 1:
        labels = (random.random(len(true)) < 1 / (1 + np.exp(-true[:, 0]))).astype(int)
    else:
        noise = random.gumbel(size=true.shape)
        labels = (true + noise).argmax(axis=1)
    scale, fitted = _correct.fit(shown.astype(np.float32), labels)
    assert scale == pytest.approx(0.6, abs=0.03)
    np.testing.assert_allclose(fitted, offsets, atol=0.08)


def test_an_opinion_is_least_wrong_for_the_values_it_was_made_of():
    torch.manual_seed(0)
    values = {name: torch.randn(5, size) for name, size in SIZES.items()}
    wanted = _loss.opinions(values)
    assert all(v.shape == values[k].shape for k, v in wanted.items())
    other = {k: v + 0.5 * torch.randn_like(v) for k, v in values.items()}
    even = torch.ones(5, 1)
    assert float(_loss.total(values, wanted, even)) < float(_loss.total(other, wanted, even))


def test_both_sexes_weigh_alike_in_each_group_of_age_and_ethnicity():
    random = np.random.default_rng(0)
    sizes = {"sex": 2, "age": 9, "ethnicity": 7}
    labels = {head: torch.from_numpy(random.integers(0, n, 3000)) for head, n in sizes.items()}
    boys = random.random(3000) < 0.5  # of one group two thirds are m
    group = (labels["ethnicity"] == 1) & (labels["age"] < 2)
    labels["sex"][group & torch.from_numpy(boys)] = 1
    weights = _loss.sex_weights(labels)
    assert weights.shape == (3000, 1)
    assert float(weights.mean()) == pytest.approx(1)
    for ages in ((0, 2), (2, 3), (3, 9)):
        for ethnicity in range(7):
            inside = (labels["age"] >= ages[0]) & (labels["age"] < ages[1])
            inside &= labels["ethnicity"] == ethnicity
            each = [float(weights[inside & (labels["sex"] == sex)].sum()) for sex in (0, 1)]
            assert each[0] == pytest.approx(each[1], rel=1e-4)
    assert float(weights[group & (labels["sex"] == 1)].mean()) < 0.8


def test_a_group_without_one_sex_weighs_half():
    labels = {name: torch.tensor([0, 0]) for name in SIZES}
    assert _loss.sex_weights(labels).tolist() == [[0.5], [0.5]]
