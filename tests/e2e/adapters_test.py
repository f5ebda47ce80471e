#!/usr/bin/env python3
"""Adapters as a user meets them: learnt, asked, merged, served beside each other, replayed, refused."""
import base64
import hashlib
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from http_service import HttpService
from palisade import SOURCE, WORLD, main, palisade, validate

REFERENCE = SOURCE / "tests" / "golden" / "reference"
ADAPTERS = REFERENCE / "adapters"
STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"
PICTURE = WORLD / "still09.png"


class Adapters(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-adapters-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def learn(self, name, answer, *arguments):
        """An adapter of the demo model that answers one question in its own way."""
        data = self.folder / f"{name}.jsonl"
        lines = [{"image": str(WORLD / f"still{i:02d}.png"), "prefix": "answer en is it raining?", "suffix": answer} for i in range(8)]
        data.write_text("".join(json.dumps(line) + "\n" for line in lines))
        palisade("transfer", "--data", data, "--run", self.folder / name, "--epochs", "24", "--batch-size", "4", "--learning-rate", "5e-3",
                 "--lora-rank", "4", "--freeze-vit", *arguments)
        return self.folder / name

    def ask(self, *arguments):
        return palisade("ask", "is it raining?", PICTURE, *arguments).stdout.strip()

    def test_what_is_learnt_stands_beside_the_model_or_in_it(self):
        run = self.learn("dog", "a white dog")
        learnt = self.ask("--model", run / "model")
        self.assertIn("dog", learnt)
        self.assertNotEqual(self.ask(), learnt)
        self.assertEqual(self.ask("--adapter", run / "adapter"), learnt)
        merged = palisade("model", "merge", self.folder / "merged", "--adapter", run / "adapter", "--weights", "f32").stdout.strip()
        self.assertEqual(self.ask("--model", merged), learnt)
        self.assertEqual(json.loads((self.folder / "merged" / "palisade.json").read_text())["id"], "merged")
        again = palisade("model", "merge", self.folder / "merged", "--adapter", run / "adapter", check=1)
        self.assertIn("is there already", again.stderr)
        for precision in ["bf16", "int8"]:
            asked = palisade("ask", "is it raining?", PICTURE, "--adapter", run / "adapter", "--precision", precision, check=None)
            if "no fast and exact bf16 matmul" in asked.stderr:
                continue  # this CPU has none
            self.assertEqual(asked.returncode, 0, asked.stderr)
            self.assertIn("dog", asked.stdout)
        event = validate(json.loads(palisade("ask", "is it raining?", PICTURE, "--adapter", run / "adapter", "--json").stdout))
        files = b"".join((run / "adapter" / name).read_bytes() for name in ["adapter_model.safetensors", "adapter_config.json"])
        self.assertEqual(event["data"]["adapter"], {"id": "dog", "sha256": hashlib.sha256(files).hexdigest()})
        config = json.loads((run / "adapter" / "adapter_config.json").read_text())
        self.assertEqual((config["peft_type"], config["r"], config["modules_to_save"]), ("LORA", 4, ["multi_modal_projector"]))
        caption = json.loads(palisade("caption", PICTURE, "--adapter", run / "adapter", "--json").stdout)
        self.assertEqual(caption["data"]["adapter"]["id"], "dog")

    def test_a_run_writes_the_adapter_or_the_model_alone_where_it_says_so(self):
        run = self.learn("cat", "a black cat", "--lora-output", "adapter", "--parts", "language")
        self.assertFalse((run / "model").exists())
        self.assertIn("black", self.ask("--adapter", run / "adapter"))
        run = self.learn("bird", "a bird", "--lora-output", "model")
        self.assertFalse((run / "adapter").exists())
        self.assertTrue((run / "model" / "model.safetensors").exists())

    def test_tasks_with_two_adapters_and_without_one_are_served_by_one_model_and_replayed(self):
        dog, cat = self.learn("dog", "a white dog"), self.learn("cat", "a black cat")
        config, state = self.folder / "config.yaml", self.folder / "state"
        task = "{task: question, question: 'is it raining?', frames: 1, every: 1s"
        tasks = f"[{task}, name: plain}}, {task}, name: dog, adapter: {dog}/adapter}}, {task}, name: cat, adapter: {cat}/adapter}}]"
        config.write_text(f"node: test\npublish: ipc://{self.folder}/events\nstate: {state}\njournal: {{frames: exact}}\n"
                          f"streams:\n  - {{name: a, url: '{STREET}', pace: false, tasks: {tasks}}}\n")
        self.assertIn(f"with adapter {dog}/adapter", palisade("config", "check", config).stdout)
        plan = json.loads(palisade("plan", config, "--json").stdout)
        self.assertEqual([one["folder"] for one in plan["adapters"]], sorted(f"{run}/adapter" for run in (dog, cat)))
        self.assertTrue(all(one["prefill"] >= 1 and one["step"] >= 1 for one in plan["adapters"]), plan["adapters"])
        palisade("serve", "--config", config, "--until-end")
        events = [validate(json.loads(line)) for line in
                  palisade("events", "--state", state, "--json", "--kind", "answer").stdout.splitlines()]
        said = {}
        for event in events:
            said.setdefault(event["data"].get("adapter", {}).get("id"), set()).add(event["data"]["text"])
        self.assertEqual(set(said), {None, "dog", "cat"})
        self.assertFalse(said[None] & said["dog"] or said[None] & said["cat"] or said["dog"] & said["cat"])
        outcomes = [json.loads(line)["outcome"] for line in
                    palisade("replay", "--since", "1970-01-01", "--config", config, "--json").stdout.splitlines()]
        self.assertEqual(len(outcomes), len(events))
        self.assertEqual(set(outcomes), {"same"})
        one = next(event for event in events if event["data"].get("adapter", {}).get("id") == "dog")
        self.assertIn("other model", palisade("replay", one["id"], "--state", state, check=3).stdout)
        self.assertIn("other model", palisade("replay", one["id"], "--state", state, "--adapter", cat / "adapter", check=3).stdout)
        self.assertIn("same", palisade("replay", one["id"], "--state", state, "--adapter", dog / "adapter").stdout)

    def test_questions_over_http_name_an_adapter_of_the_configuration(self):
        dog = self.learn("dog", "a white dog")
        task = "{task: question, question: 'is it raining?', frames: 1, every: 1s, when: demand"
        service = HttpService({"a": f"url: '{STREET}'\n    tasks: [{task}, name: plain}}, {task}, name: dog, adapter: {dog}/adapter}}]"})
        self.addCleanup(service.close)
        picture = base64.b64encode(PICTURE.read_bytes()).decode()

        def asked(status=200, **more):
            answer = service.ask("POST", "/api/v1/ask", {"prompt": "is it raining?", "pictures": [picture], **more})
            self.assertEqual(answer[0], status, answer[2])
            return answer[2]

        alone, learnt = asked(), asked(adapter="dog")
        self.assertNotIn("adapter", alone)
        self.assertEqual(learnt["text"], self.ask("--adapter", dog / "adapter"))
        self.assertNotEqual(learnt["text"], alone["text"])
        self.assertEqual(learnt["adapter"]["id"], "dog")
        self.assertEqual(asked(adapter=learnt["adapter"]["sha256"])["text"], learnt["text"])
        self.assertIn("are dog", asked(404, adapter="cat")["error"]["message"])
        asked(400, adapter=7)

    def test_an_adapter_that_cannot_be_used_ends_the_command_with_the_cause(self):
        base = REFERENCE / "models" / "paligemma1-tiny"
        for name, word in [("pissa", "pissa"), ("wrong_dimension", "q_proj"), ("pickle_weights", "adapter_model.bin")]:
            refused = palisade("ask", "x", PICTURE, "--model", base, "--adapter", ADAPTERS / "refuse" / name, check=1)
            self.assertIn(word, refused.stderr)
        config = self.folder / "config.yaml"
        config.write_text(f"model: {base}\npublish: ipc://{self.folder}/events\nstate: {self.folder}/state\nstreams:\n  - {{name: a, "
                          f"url: '{STREET}', tasks: [{{task: caption, frames: 1, adapter: {ADAPTERS}/refuse/dora}}]}}\n")
        self.assertIn("use_dora", palisade("serve", "--config", config, check=1).stderr)
        alone = palisade("ask", "x", PICTURE, "--model", ADAPTERS / "adapters/paligemma1-tiny/attention", check=1)
        self.assertIn("--adapter", alone.stderr)

    def test_golden_data_of_adapters_are_compared_too(self):
        out = palisade("model", "verify", REFERENCE, "adapters/expected/paligemma1-tiny").stdout
        self.assertRegex(out, r"\n[0-9]+ passed, 0 failed, 0 skipped\n$")
        one = palisade("model", "verify", REFERENCE, "adapters/expected/paligemma1-tiny/trained_a", "--adapter",
                       ADAPTERS / "adapters/paligemma1-tiny/trained_b", check=1).stdout
        self.assertIn("FAILED", one)


if __name__ == "__main__":
    main()
