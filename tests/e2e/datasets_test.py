#!/usr/bin/env python3
"""examples/datasets: official annotation files, made by hand, become the lines that transfer reads, and are trained on."""
import contextlib
import io
import itertools
import json
import random
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from palisade import SOURCE, WORLD, main, palisade

SCRIPTS = SOURCE / "examples" / "datasets"
GOLDEN = SOURCE / "tests" / "golden" / "datasets"
CODES = SOURCE / "tests" / "golden" / "reference" / "segmentation" / "vae-oid.npz"
sys.path.insert(0, str(SCRIPTS))

# Of each data set: annotation file, further files by their flag, further flags, pictures or films, expected lines.
SETS = {
    "nlvr2": ("dev.json", {}, [], ["dev-850-0-img0.png", "dev-850-0-img1.png", "dev-850-1-img0.png", "dev-850-1-img1.png"], "expected.jsonl"),
    "vqav2": ("v2_mscoco_val2014_annotations.json", {"--questions": "v2_OpenEnded_mscoco_val2014_questions.json"}, [],
              ["COCO_val2014_000000262148.jpg", "COCO_val2014_000000393225.jpg"], "expected.jsonl"),
    "cococap": ("captions_val2014.json", {}, [], ["COCO_val2014_000000391895.jpg", "COCO_val2014_000000522418.jpg"], "expected.jsonl"),
    "textvqa": ("TextVQA_0.5.1_val.json", {}, [], ["003a8ae2ef43b901.jpg", "3f79ae5f1ae4d2e0.jpg"], "expected.jsonl"),
    "docvqa": ("val_v1.0_withQT.json", {}, [], ["documents/pybv0228_81.png", "documents/nkbl0226_1.png"], "expected.jsonl"),
    "chartqa": ("test_human.json", {}, [], ["41699051005347.png", "41810321001157.png"], "expected.jsonl"),
    "tallyqa": ("test.json", {}, [], ["VG_100K_2/2410408.jpg", "VG_100K/2316003.jpg"], "expected.jsonl"),
    "refcoco": ("refs(unc).p", {"--instances": "instances.json"}, ["--split", "val", "--codes", CODES, "--processes", 1],
                ["COCO_train2014_000000581857.jpg"], "expected.jsonl"),
    "msrvtt_cap": ("train_val_videodatainfo.json", {}, ["--split", "validate"], ["video6513.mp4", "video6514.mp4"], "expected.jsonl"),
    "msrvtt_qa": ("test_qa.json", {}, [], ["video7010.mp4"], "expected.jsonl"),
    "msvd_qa": ("test_qa.json", {"--mapping": "youtube_mapping.txt"}, [], ["vv4WRi6CxAU_10_20.mp4", "vid1302.mp4"], "expected.jsonl"),
    "activitynet_qa": ("val_a.json", {"--questions": "val_q.json"}, [], ["v_TIEzvhv6xaI.mp4", "v_LDIemY9nO-4.mp4"], "expected.jsonl"),
    "coco_detection": ("instances_val2017.json", {}, [], ["000000000139.jpg", "000000000285.jpg", "000000000632.jpg"], "expected.jsonl"),
    "yolo": ("labels", {"--names": "data.yaml"}, [], ["street1.png", "night/street2.jpg", "empty.png"], "expected.jsonl"),
    "voc": ("Annotations", {"--list": "ImageSets/Main/val.txt"}, [], ["2007_000027.jpg", "2007_000032.jpg", "2007_000033.jpg"], "expected.jsonl"),
    "label_studio": ("project.json", {}, [], ["street 1.png", "street2.png", "street3.png", "street4.png"], "expected.jsonl"),
    "cvat": ("annotations.xml", {}, [], ["street1.png", "street2.png", "street3.png"], "expected.jsonl"),
}
FILMS = ("msrvtt_cap", "msrvtt_qa", "msvd_qa", "activitynet_qa")


class Run:
    """A script as its command line runs it, in this process."""

    def __init__(self, script, *arguments):
        out, before = io.StringIO(), sys.argv
        sys.argv = [str(SCRIPTS / f"{script}.py"), *map(str, arguments)]
        try:
            with contextlib.redirect_stderr(out), contextlib.redirect_stdout(out):
                runpy.run_path(sys.argv[0], run_name="__main__")
            self.code = 0
        except SystemExit as end:
            self.code = end.code or 0
        finally:
            sys.argv = before
        self.told = out.getvalue()


class Datasets(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-datasets-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "lines.jsonl"

    def media(self, name):
        """The folder of pictures or films of a data set: the demo world's, under the names that the data set gives them."""
        folder = self.folder / ("films" if name in FILMS else "pictures")
        for number, file in enumerate(SETS[name][3]):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.symlink_to(WORLD / (f"clip{number}.mp4" if name in FILMS else f"still{number:02d}.png"))
        return folder

    def arguments(self, name, **files):
        """The command line of a data set; `files` replaces some of its files."""
        annotations, others, flags, _, _ = SETS[name]
        found = ["--annotations", files.get("annotations", GOLDEN / name / annotations), "--videos" if name in FILMS else "--images", self.media(name),
                 "--out", self.out]
        for flag, file in others.items():
            found += [flag, files.get(flag.strip("-"), GOLDEN / name / file)]
        return [*found, *flags]

    def lines(self):
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def expected(self, name, file="expected.jsonl"):
        return [json.loads(line) for line in (GOLDEN / name / file).read_text().splitlines()]

    def refused(self, run, *parts):
        self.assertEqual(run.code, 2, run.told)
        self.assertNotIn("Traceback", run.told)
        for part in parts:
            self.assertIn(str(part), run.told)
        self.assertFalse(self.out.exists())
        self.assertEqual(list(self.folder.glob("*.part")), [])

    def write(self, name, value):
        path = self.folder / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path


class Lines(Datasets):
    def test_each_official_file_gives_the_expected_lines(self):
        for name in SETS:
            with self.subTest(name):
                run = Run(name, *self.arguments(name))
                self.assertEqual(run.code, 0, run.told)
                self.assertEqual(self.lines(), self.expected(name))
                self.assertEqual([list(line) for line in self.lines()], [list(line) for line in self.expected(name)])
                self.assertIn(f"lines.jsonl: {len(self.expected(name))} lines", run.told)

    def test_what_is_left_out_or_changed_is_counted_and_told(self):
        told = Run("nlvr2", *self.arguments("nlvr2")).told
        self.assertIn("1 left out, no file in", told)
        self.assertIn("dev.json:4: dev-851-3-img0.png", told)
        self.assertIn("1 captions held line breaks", Run("cococap", *self.arguments("cococap")).told)
        told = Run("coco_detection", *self.arguments("coco_detection")).told
        self.assertIn("1 left out, it has no object of these classes", told)
        self.assertIn("1 boxes have no area in 1,024 steps", told)
        told = Run("label_studio", *self.arguments("label_studio")).told
        self.assertIn("1 left out, nobody has labelled it", told)
        self.assertIn("neither rectangle nor polygon (choices)", told)
        self.assertIn("a shape without an area (points)", Run("cvat", *self.arguments("cvat")).told)

    def test_other_parts_and_forms_of_the_same_data_sets(self):
        pictures = self.folder / "pictures"
        for name in ("val2014/COCO_val2014_000000522418.jpg", "train2014/COCO_train2014_000000011682.jpg", "33/train-10171-0-img0.png",
                     "33/train-10171-0-img1.png", "COCO_train2014_000000581563.jpg"):
            (pictures / name).parent.mkdir(parents=True, exist_ok=True)
            (pictures / name).symlink_to(WORLD / "still00.png")
        common = ["--images", pictures, "--out", self.out, "--annotations"]
        Run("cococap", *common, GOLDEN / "cococap" / "dataset_coco.json", "--split", "val")
        self.assertEqual(self.lines(), self.expected("cococap", "expected_val.jsonl"))
        Run("tallyqa", *common, GOLDEN / "tallyqa" / "train.json")
        self.assertEqual(self.lines(), self.expected("tallyqa", "expected_train.jsonl"))
        Run("nlvr2", *common, GOLDEN / "nlvr2" / "train.json")
        self.assertEqual(self.lines()[0]["images"], ["pictures/33/train-10171-0-img0.png", "pictures/33/train-10171-0-img1.png"])
        arguments = [*common, GOLDEN / "refcoco" / "refs(unc).json", "--instances", GOLDEN / "refcoco" / "instances.json"]
        self.assertEqual(Run("refcoco", *arguments, "--form", "detect").code, 0)
        self.assertEqual([(line["prefix"], line["suffix"]) for line in self.lines()],
                         [("detect bottom dog", "<loc0000><loc0000><loc0213><loc0160> bottom dog")])
        self.media("refcoco")
        Run("refcoco", *arguments, "--split", "val", "--form", "segment", "--codes", CODES, "--processes", 2)
        self.assertEqual([line["prefix"] for line in self.lines()],
                         ["segment the lady with the blue shirt", "segment lady with back to us", "segment car on the left"])
        for line, published in zip(self.lines(), self.expected("refcoco")):
            self.assertEqual(line["suffix"], f"{published['suffix']} {published['prefix']}")
        held = self.write("held.json", [{**entry, "split": "testA"} for entry in json.loads((GOLDEN / "refcoco" / "refs(unc).json").read_text())])
        self.out.unlink()
        self.refused(Run("refcoco", *arguments, "--form", "detect", "--held-out", held), "1 left out, its picture is in a part that is held out")

    def test_names_of_classes_are_read_in_every_form(self):
        for file in ("data.yaml", "list.yaml", "classes.txt"):
            self.assertEqual(Run("yolo", *self.arguments("yolo", names=GOLDEN / "yolo" / file)).code, 0)
            self.assertEqual(self.lines(), self.expected("yolo"), file)

    def test_a_prompt_names_all_classes_some_those_present_or_one_and_pictures_without_one_may_stay(self):
        arguments = self.arguments("coco_detection")
        Run("coco_detection", *arguments, "--prompt", "each")
        self.assertEqual([(line["id"], line["prefix"]) for line in self.lines()], [("139/car", "detect car"), ("139/dog", "detect dog"), ("285/dog", "detect dog")])
        Run("coco_detection", *arguments, "--prompt", "present")
        self.assertEqual([line["prefix"] for line in self.lines()], ["detect car ; dog", "detect dog"])
        Run("coco_detection", *arguments, "--classes", "dog", "--keep-empty")
        self.assertEqual([(line["prefix"], line["suffix"][-3:]) for line in self.lines()], [("detect dog", "dog"), ("detect dog", "dog"), ("detect dog", "")])
        self.out.unlink()
        self.refused(Run("coco_detection", *arguments, "--classes", "cat"), "--classes: 'cat'", "car, dog")

    def test_draws_repeat_an_example_with_other_answers_and_are_the_same_for_a_seed(self):
        arguments = [*self.arguments("vqav2"), "--draws", 10]
        Run("vqav2", *arguments)
        lines = self.lines()
        self.assertEqual([line["id"] for line in lines[:2]], ["262148000#1", "262148000#2"])
        self.assertEqual(len(lines), 30)
        for start in (0, 10, 20):  # each answer once in ten draws
            self.assertEqual(sorted(line["suffix"] for line in lines[start:start + 10]), sorted(lines[start]["answers"]))
        Run("vqav2", *arguments)
        self.assertEqual(self.lines(), lines)
        Run("vqav2", *arguments, "--seed", 1, "--limit", 1)
        self.assertEqual(len(self.lines()), 10)
        self.assertNotEqual(self.lines(), lines[:10])

    def test_boxes_are_written_as_the_service_reads_them(self):
        from detection import location_tokens, steps
        self.assertEqual(location_tokens((-0.1, 0, 0.5, 1.2)), "<loc0000><loc0000><loc0512><loc1023>")
        self.assertEqual([steps(share / 2046) for share in (1, 3, 5, 2045)], [0, 2, 2, 1022])  # a half goes to the even number


    def test_help_of_each_script_says_where_files_come_from_and_is_shown_by_a_bare_python(self):
        for name in SETS:
            shown = subprocess.run([sys.executable, "-S", SCRIPTS / f"{name}.py", "--help"], capture_output=True, text=True, cwd=self.folder)
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), name)
            for part in ("Annotations:", "Films:" if name in FILMS else "Pictures:", "--metric", f"examples/datasets/{name}.py"):
                self.assertIn(part, shown.stdout)


class Masks(Datasets):
    def test_polygons_and_run_lengths_are_those_of_cocos_tools(self):
        from converter import Entry
        from masks import counts_of, mask_of
        golden = json.loads((GOLDEN / "masks.json").read_text())
        for number, case in enumerate(golden["polygons"]):
            mask = mask_of(Entry(case["polygons"], f"polygon {number}"), *case["size"])
            self.assertEqual((counts_of(mask), sum(mask)), (case["counts"], case["area"]))
        for number, case in enumerate(golden["masks"]):
            mask = mask_of(Entry(case, f"mask {number}"), *case["size"])
            self.assertEqual((counts_of(mask), sum(mask)), (case["counts"], case["area"]))

    def test_codes_are_those_of_the_encoder_written_out_as_its_definition(self):
        from mask_codes import MaskEncoder
        encoder = MaskEncoder(CODES)
        draws = random.Random(5)
        masks = [[[min(max((x - a) / 9, 0), 1) * ((y - b) ** 2 + (x - 30) ** 2 < r * r) for x in range(64)] for y in range(64)]
                 for a, b, r in [(draws.randrange(40), draws.randrange(64), draws.randrange(8, 40)) for _ in range(3)]]
        for mask in masks:
            self.assertEqual(encoder.encode(mask), codes_by_definition(encoder.arrays, mask))
        self.assertGreater(len({code for mask in masks for code in encoder.encode(mask)}), 8)

    def test_a_mask_is_shrunk_and_stretched_as_by_an_antialiased_triangle(self):
        from mask_codes import box_of_mask, weights_of
        for size in (1, 5, 64, 100, 640):
            for output, (first, weights) in enumerate(weights_of(size)):
                self.assertAlmostEqual(sum(weights), 1)
                middle = sum((first + place + 0.5) * weight for place, weight in enumerate(weights))
                if size >= 64 and 2 < output < 61:
                    self.assertAlmostEqual(middle, (output + 0.5) * size / 64, delta=0.26)
        mask = bytearray(128 * 128)
        for x in range(64):
            mask[x * 128:x * 128 + 128] = b"\1" * 128
        shares = box_of_mask(mask, 128, 0, 0, 128, 128)
        # Two pixels an output, of weights 1, 3, 3, 1 of 8: the edge between 31 and 32 is 7/8 and 1/8.
        self.assertEqual([round(share, 6) for share in shares[10][30:34]], [1, 0.875, 0.125, 0])


def codes_by_definition(arrays, mask):
    """big_vision's encoder as loops over its formula, on [channel][row][column]."""
    def convolved(picture, name, stride):
        (outputs, inputs, side, _), weights = arrays[f"encoder.{name}.weight"]
        bias, before, size = arrays[f"encoder.{name}.bias"][1], (side - stride) // 2, len(picture[0]) // stride
        out = [[[bias[o]] * size for _ in range(size)] for o in range(outputs)]
        for o, y, x, c, dy, dx in itertools.product(range(outputs), range(size), range(size), range(inputs), range(side), range(side)):
            row, column = y * stride + dy - before, x * stride + dx - before
            if 0 <= row < len(picture[0]) and 0 <= column < len(picture[0]):
                out[o][y][x] += picture[c][row][column] * weights[((o * inputs + c) * side + dy) * side + dx]
        return out

    def positive(picture):
        return [[[max(value, 0) for value in row] for row in channel] for channel in picture]
    picture = [[[2 * (share - 0.5) for share in row] for row in mask]]
    for name in ("0", "2", "4", "6"):
        picture = positive(convolved(picture, name, 2))
    for block in ("8", "9"):
        inner = convolved(positive(convolved(positive(convolved(picture, f"{block}.net.0", 1)), f"{block}.net.2", 1)), f"{block}.net.4", 1)
        picture = [[[a + b for a, b in zip(*rows)] for rows in zip(*channels)] for channels in zip(inner, picture)]
    picture = convolved(picture, "10", 1)
    (codes, width), table = arrays["_vq_vae._embedding"]
    found = []
    for y, x in itertools.product(range(4), range(4)):
        far = [sum((picture[c][y][x] - table[code * width + c]) ** 2 for c in range(width)) for code in range(codes)]
        found.append(far.index(min(far)))
    return found


class Documented(Datasets):
    """docs/datasets.md, block by block: its commands on the golden files under the names that it gives them, with the demo model."""
    FLAGS = ("--annotations", "--questions", "--instances", "--mapping", "--names", "--list", "--codes")
    OTHER_PARTS = {"nlvr2": ["33/train-10171-0-img0.png", "33/train-10171-0-img1.png"], "tallyqa": ["train2014/COCO_train2014_000000011682.jpg"],
                   "cococap": ["train2014/COCO_train2014_000000000009.jpg", "val2014/COCO_val2014_000000522418.jpg",
                               "val2014/COCO_val2014_000000000042.jpg"],
                   "refcoco": ["COCO_train2014_000000581563.jpg"], "msrvtt_cap": ["video0.mp4"]}
    # A picture of the demo model has 64 pixels a side, and its words more tokens; two steps are enough.
    SMALL = ["--resolution", "64", "--text-length", "200", "--batch-size", "2", "--examples", "4"]

    def blocks(self):
        text = (SOURCE / "docs" / "datasets.md").read_text()
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            yield [shlex.split(line) for line in block.replace("\\\n", " ").splitlines()]

    def prepare(self, name, words):
        """What a command reads, where it says."""
        annotations, others, *_ = SETS[name]
        for flag, value in zip(words, words[1:]):
            path = self.folder / value
            if flag in ("--images", "--videos"):
                for number, file in enumerate([*SETS[name][3], *self.OTHER_PARTS.get(name, [])]):
                    (path / file).parent.mkdir(parents=True, exist_ok=True)
                    if not (path / file).exists():
                        (path / file).symlink_to(WORLD / (f"clip{number}.mp4" if name in FILMS else f"still{number:02d}.png"))
            elif flag in self.FLAGS and not path.exists():
                golden = GOLDEN / name / path.name
                golden = CODES if flag == "--codes" else golden if golden.exists() else GOLDEN / name / {"--annotations": annotations, **others}[flag]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(golden)

    def carry_out(self, words):
        if words[0] == "python3":
            name = Path(words[1]).stem
            self.prepare(name, words)
            run = Run(name, *words[2:])
            self.assertEqual(run.code, 0, run.told)
            self.assertTrue(Path(words[words.index("--out") + 1]).read_text())
            return name
        if words[0] == "cat":
            *parts, _, whole = words[1:]
            Path(whole).write_text("".join(Path(part).read_text() for part in parts))
            return None
        self.assertEqual(words[:2], ["palisade", "transfer"])
        replaced = {"--model", "--epochs", "--text-length"}
        without = [word for flag, word in zip(["", *words], words) if not replaced & {flag, word}]
        palisade(*without[1:], *self.SMALL)
        run = Path(words[words.index("--run") + 1])
        losses = [line["loss"] for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()) if "loss" in line]
        self.assertEqual(len(losses), 2)
        self.assertTrue(all(0 < loss < 100 for loss in losses))
        self.assertTrue((run / "model" / "model.safetensors").exists())
        return Path(words[2]).stem if words[2].startswith("configs/") else None

    def test_each_data_set_goes_from_annotation_file_to_a_trained_model(self):
        scripts, recipes = set(), set()
        for block in self.blocks():
            with self.subTest(block[0][1]), contextlib.chdir(self.folder):
                (self.folder / "configs").symlink_to(SOURCE / "configs")
                for words in block:
                    (recipes if words[0] == "palisade" else scripts).add(self.carry_out(words))
            for path in self.folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.assertEqual(scripts - {None}, set(SETS))
        self.assertEqual(recipes, {"nlvr2_224", "vqav2_224", "cococap_224", "textvqa_448", "docvqa_448", "chartqa_448", "tallyqa_224", "refcoco_seg_448",
                                   "msrvtt_cap_224", "msrvtt_qa_224", "msvd_qa_224", "activitynet_qa_224", None})


if __name__ == "__main__":
    main()
