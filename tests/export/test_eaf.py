"""The ELAN document, held against the rules of EAF 3.0 and read with pympi."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pympi
import pytest
from lxml import etree

from analyzer import registry
from analyzer.inference.runtime import Runtime
from tests.support.reports import Face, make_report

RULES = etree.XMLSchema(etree.parse(Path(__file__).with_name("eaf30.xsd")))
FACES = (
    Face(0, 0.844014, (10, 20, 110, 140)),
    Face(5, 1.044014, (12, 20, 112, 140)),
    Face(5, 1.044014, (300, 20, 400, 140), track=3),
    Face(15, 1.444014, (14, 20, 114, 140)),
    Face(20, 1.644514, (0, 3, 40, 50), track=7),
)


def write(report, folder):
    path = folder / "x.eaf.part.3.1"
    registry.load("export", "eaf", runtime=Runtime()).write(report, path)
    root = etree.parse(path).getroot()
    RULES.assertValid(root)
    return path, root


def whole(**changes):
    report = make_report(FACES, persons={0: 0, 3: 1, 7: -1}, **changes)
    return replace(report, shots=np.array([[0, 1.25], [1.25, 10]]))


def test_tiers_of_persons_and_shots(tmp_path):
    path, _ = write(whole(names={0: "Grace"}), tmp_path)
    document = pympi.Eaf(str(path))
    assert list(document.get_tier_names()) == ["Grace", "person 1", "shots"]
    annotations = {
        tier: document.get_annotation_data_for_tier(tier) for tier in document.get_tier_names()
    }
    assert annotations["Grace"] == [(844, 1244, "Grace, m, 40"), (1444, 1644, "Grace, m, 40")]
    assert annotations["person 1"] == [(1044, 1244, "person 1, m, 40")]
    assert annotations["shots"] == [(0, 1250, "shot 0"), (1250, 10000, "shot 1")]


@pytest.mark.parametrize("name", ["Grace", "shots", "person 1", "shots (2)"])
def test_two_persons_of_one_name_have_two_tiers(name, tmp_path):
    _, root = write(whole(names={0: name, 1: name}), tmp_path)
    assert len(set(root.xpath("TIER/@TIER_ID"))) == 3
    assert root.xpath("TIER/@PARTICIPANT") == [name, name]


def test_times_are_in_order_and_annotations_share_none(tmp_path):
    _, root = write(whole(), tmp_path)
    times = [int(time) for time in root.xpath("//TIME_SLOT/@TIME_VALUE")]
    assert times == sorted(times)
    used = root.xpath("//@TIME_SLOT_REF1 | //@TIME_SLOT_REF2")
    assert sorted(used) == sorted(root.xpath("//@TIME_SLOT_ID"))


def test_stretches_shorter_than_a_millisecond_are_kept(tmp_path):
    faces = [Face(k, k / 4000, (10, 20, 110, 140), duration_s=1e-5) for k in range(9)]
    path, _ = write(make_report(faces), tmp_path)
    stretches = pympi.Eaf(str(path)).get_annotation_data_for_tier("person 0")
    assert len(stretches) == 9
    assert all(start < end for start, end, _ in stretches)
    assert all(before[1] <= after[0] for before, after in pairwise(stretches))


def test_the_medium_is_found_from_the_root_and_from_the_document(weird_folder, tmp_path):
    medium = weird_folder / "a film #1%.mp4"
    medium.touch()
    folder = tmp_path / "results"
    folder.mkdir()
    _, root = write(whole(uri=str(medium)), folder)
    (link,) = root.iterfind("HEADER/MEDIA_DESCRIPTOR")
    assert link.get("MIME_TYPE") == "video/mp4"
    address = urlsplit(link.get("MEDIA_URL"))
    assert (address.scheme, address.netloc) == ("file", "")
    assert Path(unquote(address.path)).samefile(medium)
    relative = link.get("RELATIVE_MEDIA_URL")
    assert relative.startswith("../")
    assert (folder / unquote(relative)).samefile(medium)


def test_pympi_writes_what_it_read(tmp_path):
    path, _ = write(whole(names={0: '<b> & "é"'}), tmp_path)
    document = pympi.Eaf(str(path))
    document.to_file(str(tmp_path / "again.eaf"))
    again = pympi.Eaf(str(tmp_path / "again.eaf"))
    assert again.tiers.keys() == document.tiers.keys()
    assert again.timeslots == document.timeslots


def test_nobody(tmp_path):
    _, root = write(make_report(), tmp_path)
    assert root.xpath("TIER/@TIER_ID") == ["shots"]
