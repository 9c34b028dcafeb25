"""Asks the model argv[2] at argv[1] by Cohere's SDK, and prints what came, whole and streamed, with and without tools."""

import json
import sys

import cohere

url, model = sys.argv[1:]
client = cohere.ClientV2(api_key="the-callers-own", base_url=url)
tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a place.",
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
        },
    }
]
hello = [{"role": "user", "content": "Say hello to the harbour"}]
ask = [{"role": "user", "content": "get_weather, please"}]


def usage(it):
    return [it.tokens.input_tokens, it.tokens.output_tokens]


def streamed(**more):
    text, calls, reason, used = "", [], None, None
    for event in client.chat_stream(model=model, **more):
        if event.type == "content-delta":
            text += event.delta.message.content.text or ""
        elif event.type == "tool-call-start":
            call = event.delta.message.tool_calls
            calls.append([call.id, call.function.name, ""])
        elif event.type == "tool-call-delta":
            calls[event.index][2] += event.delta.message.tool_calls.function.arguments
        elif event.type == "message-end":
            reason, used = event.delta.finish_reason, usage(event.delta.usage)
    return {"text": text, "calls": calls, "reason": reason, "usage": used}


def whole(**more):
    answer = client.chat(model=model, **more)
    calls = [[call.id, call.function.name, call.function.arguments] for call in answer.message.tool_calls or []]
    text = "".join(part.text for part in answer.message.content or [])
    return {"text": text, "calls": calls, "reason": answer.finish_reason, "usage": usage(answer.usage)}


def failure():
    try:
        client.chat(model="nobody", messages=hello)
    except cohere.NotFoundError as error:
        return error.body["message"]


print(
    json.dumps(
        {
            "whole": whole(messages=hello),
            "streamed": streamed(messages=hello),
            "tools": whole(messages=ask, tools=tools),
            "tools_streamed": streamed(messages=ask, tools=tools),
            "ranked": [
                [it.index, it.relevance_score]
                for it in client.rerank(model="rerank-v3.5", query="a b", documents=["b", "a b"]).results
            ],
            "failure": failure(),
        }
    )
)
