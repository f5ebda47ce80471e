#!/usr/bin/env python3
"""Requests as other programs' providers for the openai API send them: Frigate's and Home Assistant's LLM Vision. Both were tried
unmodified; here their requests are sent by ourselves, because their sources are not ours."""
import json
import unittest

from http_service import HttpService, street_pictures
from palisade import main

INSTRUCTIONS = ("Your task is to analyze a sequence of images taken in chronological order from a security camera.\n\n## Task Instructions\n\n"
                + "Describe the scene based on observable actions and movements. Do not speculate.\n" * 80)


class Providers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = HttpService()
        cls.addClassCleanup(cls.service.close)
        cls.token = cls.service.token("client", "ask")
        cls.pictures = [f"data:image/jpeg;base64,{picture}" for picture in street_pictures()[:3]]  # whatever it is called
        cls.model = cls.service.get("/v1/models", token=cls.token)[2]["data"][0]["id"]

    def chat(self, messages, model=None, **more):
        status, _, answer = self.service.ask("POST", "/v1/chat/completions", {"model": model or self.model, "messages": messages, **more}, token=self.token)
        self.assertEqual(status, 200, answer)
        choice = answer["choices"][0]
        self.assertIn(choice["finish_reason"], ("stop", "length"))
        self.assertIsInstance(choice["message"]["content"], str)
        return answer, choice["message"]["content"]

    def picture_part(self, picture, **more):
        return {"type": "image_url", "image_url": {"url": picture, **more}}


class Frigate(Providers):
    def test_set_up_lists_the_models(self):
        listed = self.service.get("/v1/models", token=self.token)[2]
        self.assertEqual(sorted(one["id"] for one in listed["data"]), sorted([self.model] + [f"{self.model}:{task}" for task in ("caption", "describe", "answer", "detect")]))

    def described(self, text, **more):
        content = [{"type": "text", "text": text}] + [self.picture_part(picture, detail="low") for picture in self.pictures]
        return self.chat([{"role": "user", "content": content}], **more)

    def test_an_object_is_described_by_the_model_that_names_the_task(self):
        for model in (f"{self.model}:describe", f"{self.model}:caption"):
            answer, text = self.described("Analyze the sequence of images containing the car. Focus on the likely intent or behavior of the car.", model=model)
            self.assertTrue(text)
            self.assertEqual(answer["palisade"]["pictures_used"], 3)
            self.assertEqual(answer["palisade"]["prompt"], model.split(":")[1] + " en")
            self.assertIn("text", answer["palisade"]["ignored"])

    def test_a_review_is_filled_in_and_keeps_to_its_ranges(self):
        def text(least, most, about):
            return {"type": "string", "minLength": least, "maxLength": most, "description": about, "title": about[:5]}
        properties = {
            "observations": {"type": "array", "items": {"type": "string", "minLength": 20, "maxLength": 200}, "minItems": 3, "maxItems": 8,
                             "description": "Enumerate the significant observations across all frames, in chronological order.", "title": "Observations"},
            "scene": text(150, 600, "A chronological narrative of what happens from start to finish."),
            "title": text(0, 80, "Title for the activity."), "shortSummary": text(70, 140, "A brief summary for the activity."),
            "confidence": {"type": "number", "minimum": 0.0, "maximum": 1.0, "description": "Confidence in the analysis as a decimal.", "title": "Confidence"},
            "potential_threat_level": {"type": "integer", "minimum": 0, "maximum": 2, "description": "Threat level: 0 = normal, 1 = suspicious, 2 = critical threat.", "title": "Level"}}
        concerns = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}], "default": None, "description": "Other concerns.", "title": "Other Concerns"}
        for more in ({}, {"other_concerns": concerns}):
            schema = {"type": "object", "title": "ReviewMetadata", "properties": {**properties, **more}, "required": list(properties), "additionalProperties": False}
            answer, content = self.described(INSTRUCTIONS, response_format={"type": "json_schema", "json_schema": {"name": "review_metadata", "strict": True, "schema": schema}})
            filled = json.loads(content)
            self.assertEqual(set(filled), set(schema["properties"]))
            self.assertTrue(filled["title"] and filled["scene"] and filled["shortSummary"])
            self.assertTrue(filled["observations"] and all(isinstance(one, str) and one for one in filled["observations"]))
            self.assertTrue(0 <= filled["confidence"] <= 1)
            self.assertIn(filled["potential_threat_level"], (0, 1, 2))
            self.assertIn("potential_threat_level", json.dumps(answer["palisade"]["fields"]))

    def test_a_summary_of_text_alone_says_what_cannot_be(self):
        answer, text = self.chat([{"role": "user", "content": [{"type": "text", "text": INSTRUCTIONS + json.dumps([{"title": "x", "scene": "A car passes."}])}]}])
        self.assertEqual(answer["palisade"]["pictures_used"], 0)
        self.assertIn("none was sent", text)

    def test_a_chat_with_tools_that_need_not_be_used_is_answered(self):
        tools = [{"type": "function", "function": {"name": "search", "description": "x", "parameters": {"type": "object", "properties": {}}}}]
        messages = [{"role": "system", "content": "You help."}, {"role": "user", "content": "What is going on?"}]
        answer, text = self.chat(messages, tools=tools, tool_choice="auto")
        self.assertTrue(text)
        self.assertTrue({"tools", "tool_choice"} <= set(answer["palisade"]["ignored"]))


class LlmVision(Providers):
    def test_set_up_is_accepted(self):
        self.assertTrue(self.chat([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])[1])

    def vision(self, text, **more):
        content = []
        for number, picture in enumerate(self.pictures, 1):
            content += [{"type": "text", "text": f"Image {number}:"}, self.picture_part(picture)]
        return self.chat([{"role": "system", "content": "Analyze the images and give a concise, objective event summary (<255 chars)."},
                          {"role": "user", "content": content + [{"type": "text", "text": text}]}], max_completion_tokens=100, temperature=0.5, top_p=0.95, **more)

    def test_pictures_are_described(self):
        answer, text = self.vision("what moves?")
        self.assertEqual((answer["palisade"]["prompt"], answer["palisade"]["pictures_used"]), ("answer en what moves?", 3))
        answer, text = self.vision("Describe what happens.", model=f"{self.model}:describe")
        self.assertTrue(text)
        self.assertEqual(answer["palisade"]["prompt"], "describe en")

    def test_a_title_is_asked_of_text_alone(self):
        messages = [{"role": "user", "content": [{"type": "text", "text": text}]} for text in ("Generate a clear event title (<6 words) from the description.", "Create a title for this text: a car passes")]
        answer, text = self.chat(messages, max_completion_tokens=4096, temperature=0.5, top_p=0.95)
        self.assertTrue(text)
        self.assertEqual(answer["palisade"]["pictures_used"], 0)

    def test_a_structure_is_filled_in(self):
        schema = {"type": "object", "properties": {"title": {"type": "string", "description": "a title"}, "car": {"type": "boolean", "description": "is there a car?"},
                                                   "count": {"type": "integer", "minimum": 0, "maximum": 5, "description": "how many cars are there?"}}, "required": ["title", "car"], "additionalProperties": False}
        filled = json.loads(self.vision("Fill it in.", response_format={"type": "json_schema", "json_schema": {"name": "response", "schema": schema, "strict": True}})[1])
        self.assertIsInstance(filled["car"], bool)
        self.assertIn(filled["count"], range(6))
        self.assertTrue(filled["title"])


if __name__ == "__main__":
    main()
