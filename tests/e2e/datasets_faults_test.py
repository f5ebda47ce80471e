#!/usr/bin/env python3
"""examples/datasets: whatever is not as an official description says becomes a message with file, entry and remedy."""
import copy
import json
import os
import pickle
import random
import re
import shutil

from datasets_test import CODES, GOLDEN, SETS, Datasets, Run
from palisade import main


class Hostile(Datasets):
    def damaged(self, value, draws, count):
        """Copies of a JSON value, each with one part of it gone or of another kind."""
        def places(part, path=()):
            yield path
            for key in (part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()):
                yield from places(part[key], (*path, key))
        everywhere = list(places(value))
        for _ in range(count):
            *path, key = draws.choice(everywhere[1:])
            copied = copy.deepcopy(value)
            part = copied
            for step in path:
                part = part[step]
            new = draws.choice([None, True, -1, 1e300, 10**30, "", "x\0y", "\ud800", "<image>", "../../x", "/etc/passwd", "é" * 9000, [], [[]], {}, {"a": 1}, "gone"])
            if new == "gone":
                del part[key]
            else:
                part[key] = new
            yield copied

    def test_files_with_a_part_gone_or_of_another_kind_never_end_in_a_traceback(self):
        seed = random.randrange(1 << 30)
        print(f"seed {seed}")
        draws = random.Random(seed)
        for name, (annotations, others, *_) in SETS.items():
            files = {"annotations": annotations, **{flag.strip("-"): file for flag, file in others.items()}}
            if name == "refcoco":
                files["annotations"] = "refs(unc).json"
            for role, file in files.items():
                if not file.endswith(".json"):
                    continue
                text = (GOLDEN / name / file).read_text()
                for damaged in self.damaged([json.loads(line) for line in text.splitlines()] if name == "nlvr2" else json.loads(text), draws, 40):
                    written = "".join(json.dumps(line) + "\n" for line in damaged) if name == "nlvr2" else json.dumps(damaged)
                    run = Run(name, *self.arguments(name, **{role: self.write(file, written)}))
                    self.assertIn(run.code, (0, 2), f"{name}: {run.told}")
                    self.assertNotIn("Traceback", run.told)
                    if run.code == 2:
                        self.assertRegex(run.told, rf"^error: .*({'|'.join(map(re.escape, [annotations, *files.values()]))}).*: .+; \w")
                        self.assertFalse(self.out.exists())
                    else:
                        self.out.unlink()

    def test_files_that_are_cut_off_or_of_another_kind_are_told_by_name(self):
        for name, (annotations, *_) in SETS.items():
            whole = GOLDEN / name / annotations
            if whole.is_dir():
                continue
            data = whole.read_bytes()
            for cut in (0, 1, len(data) // 3, len(data) - 2):
                path = self.folder / annotations
                path.write_bytes(data[:cut])
                self.refused(Run(name, *self.arguments(name, annotations=path)), annotations)
            for other in (b"\x1f\x8b\x08\0\0", b"[" * 100_000, b"\xff\xfe{\0}\0", b"null\n", b"[1" + b"0" * 5000 + b"]", b"<a/>", b"{}\n", b"[]\n"):
                path.write_bytes(other)
                self.refused(Run(name, *self.arguments(name, annotations=path)), self.folder)
            path.unlink()
            self.refused(Run(name, *self.arguments(name, annotations=path)), annotations, "No such file")

    def test_names_that_leave_the_folder_of_pictures_are_refused(self):
        def changed(name, file, change):
            value = json.loads((GOLDEN / name / file).read_text())
            change(value)
            return self.write(file, value)
        for bad in ("../secret.png", "/etc/passwd", "a/../../b.png", "..\\b.png", "a\0b", ""):
            self.refused(Run("chartqa", *self.arguments("chartqa", annotations=changed("chartqa", "test_human.json", lambda v: v[1].update(imgname=bad)))),
                         "test_human.json[1]", "folder")
            self.refused(Run("docvqa", *self.arguments("docvqa", annotations=changed("docvqa", "val_v1.0_withQT.json", lambda v: v["data"][0].update(image=bad)))),
                         "val_v1.0_withQT.json: data[0]")
            self.refused(Run("coco_detection", *self.arguments("coco_detection", annotations=changed(
                "coco_detection", "instances_val2017.json", lambda v: v["images"][0].update(file_name=bad)))), "images[0]")
        self.refused(Run("activitynet_qa", *self.arguments("activitynet_qa", questions=changed(
            "activitynet_qa", "val_q.json", lambda v: v[0].update(video_name="/../../x")))), "val_a.json[0]")
        self.refused(Run("voc", *self.arguments("voc", list=self.write("val.txt", "../../etc/passwd\n"))), "val.txt")

    def test_ids_that_come_twice_are_told_with_both_places(self):
        lines = (GOLDEN / "nlvr2" / "dev.json").read_text().splitlines()
        self.refused(Run("nlvr2", *self.arguments("nlvr2", annotations=self.write("dev.json", "\n".join([*lines, lines[0]])))), "dev.json:5", "dev.json:1")
        for name, file, key in [("vqav2", "questions", "questions"), ("cococap", "annotations", "images"), ("msrvtt_cap", "annotations", "videos")]:
            official = GOLDEN / name / (SETS[name][0] if file == "annotations" else SETS[name][1][f"--{file}"])
            value = json.loads(official.read_text())
            value[key].append(value[key][0])
            self.refused(Run(name, *self.arguments(name, **{file: self.write(official.name, value)})), f"{key}[{len(value[key]) - 1}]", f"{key}[0]")

    def test_unicode_stays_as_it_is_and_what_is_no_text_is_told(self):
        questions = [{"imgname": "41699051005347.png", "query": query, "label": "ja"} for query in ("Wie viele Äpfel? 🍎", "価格は？", "e\u0301 é", "a\u2028b")]
        path = self.folder / "u.json"
        path.write_text("\ufeff" + json.dumps(questions, ensure_ascii=False))
        self.assertEqual(Run("chartqa", *self.arguments("chartqa", annotations=path)).code, 0)
        self.assertEqual([line["prefix"] for line in self.lines()], [question["query"] for question in questions])
        self.out.unlink()
        path.write_text('[{"imgname": "41699051005347.png", "query": "half \\ud83c", "label": "1"}]')
        self.refused(Run("chartqa", *self.arguments("chartqa", annotations=path)), "u.json[0].query", "surrogate")
        path.write_bytes(json.dumps(questions, ensure_ascii=False).encode("latin1", "replace").replace(b"?", b"\xe4"))
        self.refused(Run("chartqa", *self.arguments("chartqa", annotations=path)), "u.json", "not UTF-8")

    def test_texts_that_transfer_refuses_are_left_out_and_counted(self):
        questions = [{"imgname": "41699051005347.png", "query": query, "label": label} for query, label in
                     [("<image>?", "1"), ("\x07?", "1"), (" ", "1"), ("?", " "), ("x" * 9000, "1"), ("good?", "1")]]
        run = Run("chartqa", *self.arguments("chartqa", annotations=self.write("t.json", questions)))
        self.assertEqual(run.code, 0)
        self.assertEqual([line["prefix"] for line in self.lines()], ["good?"])
        for reason in ("control token <image>", "control character", "question is blank", "answer is blank", "longer than 8 KiB"):
            self.assertRegex(run.told, f"  1 left out, its [a-z ]*{reason} ")

    def test_a_test_set_and_a_folder_without_the_pictures_are_told_as_what_they_are(self):
        self.refused(Run("textvqa", *self.arguments("textvqa", annotations=GOLDEN / "textvqa" / "TextVQA_0.5.1_test.json")), "test set", "has answers")
        empty = self.folder / "empty"
        empty.mkdir()
        arguments = self.arguments("chartqa")
        arguments[arguments.index("--images") + 1] = empty
        self.refused(Run("chartqa", *arguments), "3 left out, no file in", "41699051005347.png", "name the folder")
        arguments[arguments.index("--images") + 1] = self.folder / "none"
        self.refused(Run("chartqa", *arguments), "is no folder")
        arguments = self.arguments("chartqa")
        arguments[arguments.index("--out") + 1] = GOLDEN / "chartqa" / "test_human.json"
        self.refused(Run("chartqa", *arguments), "is one of the files that are read")
        self.assertEqual(len(json.loads((GOLDEN / "chartqa" / "test_human.json").read_text())), 3)

    def test_a_pickle_that_would_run_something_runs_nothing(self):
        class Evil:
            def __reduce__(self):
                return os.mkdir, (str(self.path),)
        Evil.path = self.folder / "made"
        path = self.folder / "refs.p"
        path.write_bytes(pickle.dumps([Evil()], protocol=2))
        self.refused(Run("refcoco", *self.arguments("refcoco", annotations=path)), "refs.p", "posix.mkdir")
        self.assertFalse(Evil.path.exists())
        path.write_bytes(pickle.dumps(json.loads((GOLDEN / "refcoco" / "refs(unc).json").read_text()), protocol=0).replace(b"lady with back", b"lady with b\xe9ck"))
        self.assertIn(Run("refcoco", *self.arguments("refcoco", annotations=path)).code, (0, 2))
        self.out.unlink(missing_ok=True)
        for codes in (GOLDEN / "masks.json", self.folder / "none.npz"):
            arguments = self.arguments("refcoco")
            arguments[arguments.index(CODES)] = codes
            self.refused(Run("refcoco", *arguments), codes.name, "vae-oid.npz")
        cut = self.folder / "cut.npz"
        data = CODES.read_bytes()
        for at in (len(data) // 2, len(data) - 30):
            cut.write_bytes(data[:at])
            arguments[arguments.index("--codes") + 1] = cut
            self.refused(Run("refcoco", *arguments), "cut.npz")

    def test_xml_that_swells_or_reads_other_files_is_refused(self):
        bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "&x;&x;">]><annotations>&y;</annotations>'
        self.refused(Run("cvat", *self.arguments("cvat", annotations=self.write("a.xml", bomb))), "a.xml", "document type")
        (self.folder / "a.xml").write_bytes(bomb.encode("utf-16"))
        self.refused(Run("cvat", *self.arguments("cvat", annotations=self.folder / "a.xml")), "a.xml", "UTF-8")
        good = (GOLDEN / "cvat" / "annotations.xml").read_text()
        for old, new, part in [('xtl="64.00"', 'xtl="nan"', "street1.png: shape 1: xtl"), ('xtl="64.00" ', "", "xtl"), ('width="640" height="360">', 'width="0" height="360">', "0 x 360"),
                               ('label="car"', 'label="a ; b"', "'a ; b'"), ("320.00,90.00;480.00,90.00;", "1;2;", "outline"), ("<image ", "<track ", "mismatched")]:
            self.refused(Run("cvat", *self.arguments("cvat", annotations=self.write("a.xml", good.replace(old, new, 1)))), "a.xml", part)
        film = '<annotations><track id="0" label="car"><box frame="0" xtl="1" ytl="1" xbr="2" ybr="2"/></track></annotations>'
        self.refused(Run("cvat", *self.arguments("cvat", annotations=self.write("a.xml", film))), "CVAT for video")
        folder = self.folder / "Annotations"
        shutil.copytree(GOLDEN / "voc" / "Annotations", folder)
        voc = (folder / "2007_000027.xml").read_text()
        for old, new, part in [("<xmax>320</xmax>", "<xmax>3</xmax>", "object 1"), ("<name>car</name>", "", "object 1: <name>"), ("<width>640</width>", "<width>x</width>", "<width>"),
                               ("</annotation>", "", "no whole XML"), ("<annotation>", "<other>", "no whole XML")]:
            (folder / "2007_000027.xml").write_text(voc.replace(old, new, 1))
            self.refused(Run("voc", *self.arguments("voc", annotations=folder)), "2007_000027.xml", part)

    def test_lines_of_yolo_that_are_none_are_told_with_their_number(self):
        folder = self.folder / "labels"
        folder.mkdir()
        for line, part in [("0 0.5 0.5 0.1", "3 numbers"), ("7 0.5 0.5 0.1 0.1", "7 is no class"), ("car 0.5 0.5 0.1 0.1", "invalid literal"), ("0 320 180 64 36", "divide pixels"),
                           ("0 nan 0.5 0.1 0.1", "no share"), ("0 0.5 0.5 0.1 0.1 0.9", "confidence")]:
            (folder / "street1.txt").write_text(f"0 0.3 0.3 0.4 0.4\n{line}\n")
            self.refused(Run("yolo", *self.arguments("yolo", annotations=folder)), "street1.txt:2", part)
        for text, part in [("path: x\n", "no \"names:\""), ("names:\n", "names no class"), ("names: ['a;b']\n", "rename it")]:
            self.refused(Run("yolo", *self.arguments("yolo", names=self.write("n.yaml", text))), "n.yaml", part)


if __name__ == "__main__":
    main()
