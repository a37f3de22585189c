"""Networks of the user's: what they are shown, what is made of their answers, what is refused."""

import numpy as np
import pytest

from analyzer import registry
from analyzer.attributes import heads
from analyzer.errors import UsageError, WeightsError
from analyzer.identities.address import settings_for
from analyzer.inference.runtime import Runtime
from analyzer.stages.describe import _network, _views
from analyzer.weights import catalogue, locate, network_spec
from analyzer.weights.network_spec import Head
from tests.support import networks
from tests.support.media import ASTRONAUT_FACE, astronaut

RUNTIME = Runtime(device="cpu", batch_size=2)
SPEC = "alignment: arcface\nsize: 112\nmean: 0\nstd: 1\nthreshold: 0.8\n"


def describer(spec: str, *names: str):
    return registry.load("describe", spec, runtime=RUNTIME, attributes=names)


@pytest.fixture
def chips() -> np.ndarray:
    """Chips (5, 112, 112, 3), each of one colour."""
    colours = np.random.default_rng(0).integers(1, 256, (5, 1, 1, 3), np.uint8)
    return np.broadcast_to(colours, (5, 112, 112, 3)).copy()


def colours(chips: np.ndarray) -> np.ndarray:
    return chips[:, 0, 0].astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize("batch", ["n", 1])
def test_the_network_sees_what_its_specification_says(tmp_path, chips, layout, colour, batch):
    path = networks.embedding(tmp_path / "who.onnx", layout=layout, batch=batch)
    text = SPEC.replace("mean: 0", "mean: [10, 20, 30]").replace("std: 1", "std: [2, 4, 8]")
    path.with_suffix(".yaml").write_text(f"{text}layout: {layout}\ncolour: {colour}\n")
    described = describer(f"onnx:embed={path}").describe(chips)
    pixels = colours(chips) if colour == "RGB" else colours(chips)[:, ::-1]
    expected = (pixels - [10, 20, 30]) / [2, 4, 8]
    np.testing.assert_allclose(described.embeddings, unit(expected), atol=1e-5)
    assert described.heads == {}


def test_it_states_its_threshold_its_chips_and_its_file(tmp_path):
    path = networks.embedding(tmp_path / "who.onnx")
    path.with_suffix(".yaml").write_text(SPEC)
    subject = describer(f"onnx:embed={path}", "sex")
    assert (subject.threshold, subject.aligner) == (0.8, "arcface:size=112")
    assert subject.provenance == {"who.onnx": locate.sha256(path)}
    assert settings_for(f"onnx:embed={path}", None).threshold == 0.8
    assert settings_for(f"onnx:embed={path}", 0.3).threshold == 0.3


def test_no_chip_no_description(tmp_path, chips):
    path = networks.embedding(tmp_path / "edgeface_xxs_mine.onnx")
    described = describer(f"onnx:embed={path}", "age").describe(chips[:0])
    assert described.embeddings.shape == (0, 3)
    assert described.heads["age"].shape == (0, 9)


def test_attributes_that_nobody_makes_are_unknown(tmp_path, chips):
    path = networks.embedding(tmp_path / "who.onnx")
    described = describer(f"onnx:embed={path},spec=edgeface", "sex", "age").describe(chips)
    assert {name: raw.shape for name, raw in described.heads.items()} == {
        "sex": (5, 1),
        "age": (5, 9),
    }
    assert all(np.isnan(raw).all() for raw in described.heads.values())


def test_attributes_of_a_second_network(tmp_path):
    """FairFace's layout: the embedding sees ArcFace's chip, the attributes dlib's beside it."""
    random = np.random.default_rng(0)
    matrices = {
        "race": random.normal(size=(3, 7)),
        "gender": random.normal(size=(3, 2)),
        "age": random.normal(size=(3, 9)),
    }
    embedder = networks.embedding(tmp_path / "who.onnx")
    what = networks.channel_means(tmp_path / "fairface_mine.onnx", outputs=matrices, size=224)
    subject = describer(
        f"onnx:embed={embedder},spec=edgeface,attributes={what}", "sex", "ethnicity"
    )
    assert subject.aligner == "arcface:size=112,beside=224,padding=0.25"
    assert set(subject.provenance) == {"who.onnx", "fairface_mine.onnx"}
    aligner = registry.load("align", subject.aligner, runtime=RUNTIME)
    pictures = aligner.align(astronaut(), ASTRONAUT_FACE, None).images
    heads = subject.describe(pictures).heads
    assert set(heads) == {"sex", "ethnicity"}
    chip = registry.load("align", "chip:size=224", runtime=RUNTIME)
    face = chip.align(astronaut(), ASTRONAUT_FACE, None).images[0].astype(np.float32)
    pixels = (face / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    mean = pixels.mean((0, 1))
    np.testing.assert_allclose(heads["ethnicity"][0], mean @ matrices["race"], atol=1e-3)
    male, female = mean @ matrices["gender"]
    assert heads["sex"][0, 0] == pytest.approx(male - female, abs=1e-3)


def test_attributes_of_the_default_are_those_of_the_default(tmp_path):
    embedder = networks.embedding(tmp_path / "who.onnx")
    subject = describer(f"onnx:embed={embedder},spec=edgeface,attributes=dlib_resnet", "sex", "age")
    default = describer("dlib_resnet", "sex", "age")
    pictures = [
        registry.load("align", d.aligner, runtime=RUNTIME)
        .align(astronaut(), ASTRONAUT_FACE, None)
        .images
        for d in (subject, default)
    ]
    ours, theirs = (d.describe(p).heads for d, p in zip((subject, default), pictures, strict=True))
    for name, raw in theirs.items():
        np.testing.assert_array_equal(ours[name], raw)
    assert subject.calibration.to_json() == default.calibration.to_json()
    assert set(default.provenance) < set(subject.provenance)


def test_one_network_may_say_both(tmp_path, chips):
    path = networks.channel_means(
        tmp_path / "both.onnx", outputs={"e": np.eye(3), "male": np.ones((3, 1))}
    )
    path.with_suffix(".yaml").write_text(SPEC + "embedding: e\nheads: {sex: {output: male}}\n")
    described = describer(f"onnx:embed={path}", "sex").describe(chips)
    np.testing.assert_allclose(described.heads["sex"][:, 0], colours(chips).sum(1), rtol=1e-4)


class TestValues:
    """What columns mean."""

    def decode(self, raw, **options):
        head = Head(**options)
        values = _network.values(head, np.array(raw, np.float32))
        return heads.decode(head.name, values)

    def test_two_logits_of_sex(self):
        assert self.decode([[2, 0.5], [0, 3]], name="sex").label == ("m", "f")

    def test_probability_of_male(self):
        decoded = self.decode([[0.9], [0.1], [1.0]], name="sex", values="probabilities")
        np.testing.assert_allclose(decoded.value[:2], [np.log(9), -np.log(9)], rtol=1e-5)
        assert np.isfinite(decoded.value).all()

    @pytest.mark.parametrize("years", [1.5, 4, 6.5, 11, 15, 20, 37.2, 66, 79])
    def test_years_come_back(self, years):
        decoded = self.decode([[years / 100]], name="age", values="years", factor=100)
        assert float(decoded.label[0]) == pytest.approx(years, abs=0.06)

    def test_years_beyond_the_bins_stay_inside(self):
        labels = self.decode([[0.0], [120.0]], name="age", values="years").label
        assert (labels[0], float(labels[1])) == ("1.5", pytest.approx(79.2, abs=0.1))

    def test_decfunc_of_inafaceanalyzer(self):
        decoded = self.decode([[3.4]], name="age", values="decfunc")
        assert decoded.value[0] == pytest.approx(3.4, abs=1e-5)

    def test_probabilities_of_bins(self):
        shares = np.full((1, 9), 0.01)
        shares[0, 3] = 0.92
        decoded = self.decode(shares, name="age", values="probabilities")
        assert decoded.value[0] == pytest.approx((shares @ np.arange(9))[0], abs=1e-4)


class TestViews:
    """Chips of several sizes and margins are found in one picture."""

    def test_two_of_one_alignment_share_a_chip(self):
        inputs = [_views.InputView("chip", 160, 0.25), _views.InputView("chip", 96, 0.55)]
        aligner, views = _views.plan(inputs)
        assert aligner == "chip:size=224,padding=0.55"
        assert [v.size for v in views] == [160, 96]
        assert views[0].side == 160
        assert views[1].side == 224

    def test_what_is_seen_is_what_the_aligner_alone_would_cut(self):
        inputs = [_views.InputView("chip", 150, 0.25), _views.InputView("chip", 224, 0.55)]
        aligner, views = _views.plan(inputs)
        cut = registry.load("align", aligner, runtime=RUNTIME)
        images = cut.align(astronaut(), ASTRONAUT_FACE, None).images
        for view, want in zip(views, inputs, strict=True):
            alone = registry.load(
                "align", f"chip:size={want.size},padding={want.padding}", runtime=RUNTIME
            ).align(astronaut(), ASTRONAUT_FACE, None)
            picture = view.take(images)
            assert picture.shape == alone.images.shape
            difference = np.abs(picture.astype(float) - alone.images).mean()
            assert difference < 6

    def test_smaller_arcface_beside_a_larger(self):
        aligner, views = _views.plan([_views.InputView("arcface", s, 0.25) for s in (112, 224)])
        assert aligner == "arcface:size=224"
        assert views[0].take(np.zeros((2, 224, 224, 3), np.uint8)).shape == (2, 112, 112, 3)


class TestRefused:
    """Every mistake has one line with its cure."""

    def refuse(self, kind, cure, spec, *names):
        with pytest.raises(kind, match=cure) as refused:
            describer(spec, *names)
        assert "\n" not in str(refused.value)

    def test_no_network_named(self):
        self.refuse(UsageError, "onnx:embed=FILE.onnx", "onnx")

    def test_no_such_file(self, tmp_path):
        self.refuse(WeightsError, "models list", f"onnx:embed={tmp_path}/none.onnx")

    def test_not_fetched_yet(self, tmp_path, monkeypatch):
        monkeypatch.setattr(locate, "folder", lambda: tmp_path)
        self.refuse(WeightsError, "models fetch w600k_mbf", "onnx:embed=w600k_mbf")

    def test_nothing_known_of_it(self, tmp_path):
        path = networks.embedding(tmp_path / "mine.onnx")
        self.refuse(UsageError, r"mine\.yaml beside it, or with spec=", f"onnx:embed={path}")

    def test_unknown_kind(self, tmp_path):
        path = networks.embedding(tmp_path / "mine.onnx")
        self.refuse(UsageError, "there are: adaface, arcface", f"onnx:embed={path},spec=nonesuch")

    def test_truncated(self, tmp_path):
        path = networks.embedding(tmp_path / "mine.onnx")
        path.write_bytes(path.read_bytes()[:100])
        self.refuse(WeightsError, "get the file anew", f"onnx:embed={path},spec=edgeface")

    @pytest.mark.parametrize("options", [{"size": 96}, {"layout": "NHWC"}])
    def test_another_input_than_specified(self, tmp_path, options):
        path = networks.embedding(tmp_path / "mine.onnx", **options)
        self.refuse(WeightsError, "change size or layout", f"onnx:embed={path},spec=edgeface")

    def test_an_output_that_is_not_there(self, tmp_path):
        path = networks.embedding(tmp_path / "mine.onnx")
        path.with_suffix(".yaml").write_text(SPEC + "embedding: face\n")
        self.refuse(WeightsError, "no output 'face'; there are: embedding", f"onnx:embed={path}")

    def test_several_outputs(self, tmp_path):
        path = networks.channel_means(
            tmp_path / "two.onnx", outputs={"a": np.eye(3), "b": np.eye(3)}
        )
        self.refuse(WeightsError, "several outputs", f"onnx:embed={path},spec=edgeface")

    def test_a_head_of_another_size(self, tmp_path):
        path = networks.embedding(tmp_path / "mine.onnx")
        path.with_suffix(".yaml").write_text(SPEC + "heads: {age: {output: embedding}}\n")
        self.refuse(WeightsError, "age wants 9 of the 3 columns", f"onnx:embed={path}", "age")

    def test_attributes_as_an_embedding(self, tmp_path):
        path = networks.embedding(tmp_path / "fairface_mine.onnx", size=224)
        self.refuse(UsageError, "states no threshold", f"onnx:embed={path}")

    def test_chips_of_another_aligner(self, tmp_path):
        subject = describer(
            f"onnx:embed={networks.embedding(tmp_path / 'edgeface_base_mine.onnx')}"
        )
        with pytest.raises(UsageError, match="chips of 150 px instead of 112"):
            subject.describe(np.zeros((2, 150, 150, 3), np.uint8))

    def test_itself_beside_itself(self, tmp_path):
        path = networks.embedding(tmp_path / "edgeface_base_mine.onnx")
        self.refuse(UsageError, "another describer", f"onnx:embed={path},attributes=onnx")


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("", "KEY: VALUE"),
        ("- 1", "KEY: VALUE"),
        ("a: [", "not YAML"),
        (SPEC + "colours: RGB", "no key colours; there are: alignment, colour"),
        (SPEC.replace("size: 112\n", ""), "size missing"),
        (SPEC.replace("112", "112.5"), "size: 112.5 is not a number"),
        (SPEC.replace("112", "yes"), "size: True is not a number"),
        (SPEC.replace("112", "0"), "at least 1"),
        (SPEC.replace("mean: 0", "mean: [1, 2]"), "one number, or three"),
        (SPEC.replace("std: 1", "std: 0"), "std: must not be 0"),
        (SPEC.replace("arcface", "mtcnn"), "choose from arcface, chip"),
        (SPEC.replace("0.8", "3"), "between 0 and 2"),
        (SPEC.replace("threshold: 0.8", ""), "says nothing"),
        (SPEC + "layout: CHW", "choose from NCHW, NHWC"),
        (SPEC + "heads: [sex]", "NAME: {output"),
        (SPEC + "heads: {sex: gender}", "sex: write it as"),
        (SPEC + "heads: {beauty: {}}", "no 'beauty'; there are: sex, age, ethnicity"),
        (SPEC + "heads: {age: {columns: [0]}}", "give 9 columns"),
        (SPEC + "heads: {age: {columns: 2}}", "write them as"),
        (SPEC + "heads: {age: {values: months}}", "choose from logits, probabilities, years"),
        (SPEC + "heads: {age: {scale: 2}}", "heads: age: no key scale"),
    ],
)
def test_a_wrong_specification_is_one_line_with_the_cure(text, cure):
    with pytest.raises(UsageError, match=cure) as refused:
        network_spec.parse(text, "spec.yaml")
    assert str(refused.value).startswith("spec.yaml: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", network_spec.kinds())
def test_known_kinds_can_be_read(kind):
    file = network_spec._SHIPPED_SPECS / f"{kind}.yaml"
    spec = network_spec.parse(file.read_text(encoding="utf-8"), kind)
    assert spec.threshold or spec.heads


def test_published_networks_have_specifications():
    named = {model.network for model in catalogue.PUBLISHED.values() if model.network}
    assert named <= set(network_spec.kinds())
