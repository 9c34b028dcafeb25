"""OpenAI's SDK for Python against the Responses API at the address given: what it makes of the answers, as JSON."""

import json
import sys

from openai import APIError, OpenAI

url, model = sys.argv[1:3]
client = OpenAI(base_url=f"{url}/v1", api_key="the-callers-own", max_retries=0)
weather = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def said(response):
    usage = response.usage
    return {
        "text": response.output_text,
        "status": response.status,
        "usage": [usage.input_tokens, usage.output_tokens, usage.total_tokens],
        "calls": [[it.name, it.arguments] for it in response.output if it.type == "function_call"],
    }


def streamed(**ask):
    deltas, numbers = [], []
    with client.responses.stream(model=model, **ask) as stream:
        for event in stream:
            numbers.append(event.sequence_number)
            if event.type == "response.output_text.delta":
                deltas.append(event.delta)
        final = stream.get_final_response()
    return {**said(final), "deltas": "".join(deltas), "numbered": numbers == list(range(len(numbers)))}


def loop():
    items = [{"role": "user", "content": "The weather, please."}]
    first = client.responses.create(model=model, input=items, tools=[weather])
    items += [it.model_dump(exclude_none=True) for it in first.output]
    for it in first.output:
        if it.type == "function_call":
            items.append({"type": "function_call_output", "call_id": it.call_id, "output": "windy"})
    return [said(first), said(client.responses.create(model=model, input=items, tools=[weather]))]


def failure(**ask):
    types = []
    try:
        for event in client.responses.create(model=model, stream=True, **ask):
            types.append(event.type)
    except APIError as error:
        return {"error": str(error), "types": types}
    return {"types": types}


hello = {"input": "How is the wind today?", "instructions": "Be brief."}
print(
    json.dumps(
        {
            "whole": said(client.responses.create(model=model, **hello)),
            "streamed": streamed(**hello),
            "loop": loop(),
            "tools_streamed": streamed(input="The weather, please.", tools=[weather]),
            "cut": failure(input="Tell me more.", extra_headers={"x-mock-fault": "error-middle,after=8"}),
        }
    )
)
