"""What people do with the official openai client for Python; prints what came of it as JSON.
openai_python.py URL TOKEN < {"pictures": [...]}"""
import json
import sys
from typing import Literal

import openai
from pydantic import BaseModel, Field

url, token = sys.argv[1:]
pictures = json.load(sys.stdin)["pictures"]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)


class Scene(BaseModel):
    car: bool = Field(description="is there a car?")
    kind: Literal["car", "truck", "person"] = Field(description="what is there?")
    title: str = Field(description="caption en", max_length=80)


def failed(action, **more):
    try:
        action(**more)
    except openai.APIStatusError as error:
        return {"type": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}
    return None


models = [model.id for model in client.models.list()]
content = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}} for picture in pictures]
content.append({"type": "text", "text": "both images contain a car"})
ask = {"model": models[0], "messages": [{"role": "user", "content": content}], "max_tokens": 16}
create = client.chat.completions.create

whole = create(**ask, logprobs=True, top_logprobs=2)
streamed, usage = "", None
for chunk in create(**ask, stream=True, stream_options={"include_usage": True}):
    streamed += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    usage = chunk.usage or usage
filled = client.chat.completions.parse(**ask, response_format=Scene)
stranger = openai.OpenAI(base_url=f"{url}/v1", api_key="pal_wrong", max_retries=0)
print(json.dumps({
    "models": models,
    "retrieved": client.models.retrieve(models[0]).id,
    "whole": whole.model_dump(),
    "streamed": streamed,
    "usage": usage.model_dump(),
    "filled": filled.choices[0].message.parsed.model_dump(),
    "errors": {
        "unknown": failed(create, **{**ask, "model": "gpt-4o"}),
        "several": failed(create, **ask, n=2),
        "stranger": failed(stranger.models.list),
        "streamed": failed(create, **{**ask, "model": "gpt-4o"}, stream=True),
    },
}))
