"""Asks models by one of the official SDKs, and prints what each handed to its user, as one JSON object by "model scenario how".

argv: the SDK, the URL of the sidecar, then names of models. What is asked is what test/sdk/matrix/node-callers.ts asks.
"""

import base64
import json
import sys

SDK, URL, *MODELS = sys.argv[1:]
KEY = "the-callers-own"
SYSTEM, HELLO = "Be brief.", "Say hello to the harbour"
ASK, LOOK = "aloud get_weather and get_time, please", "What is it?"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"data:image/png;base64,{PNG}"
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string"}},
            "required": ["place"],
            "additionalProperties": False,
        },
    },
    {"name": "get_time", "description": "The time.", "parameters": {"type": "object", "properties": {}}},
]
FUNCTIONS = [{"type": "function", "function": tool} for tool in TOOLS]
CALLS = [("call_1", "get_weather", {"place": "harbour"}), ("call_2", "get_time", {})]
RESULTS = [("call_1", "get_weather", "Clear"), ("call_2", "get_time", "4:20 PM")]


def said(text, calls, finish, used, made):
    return {
        "text": text or "",
        "calls": [{"name": name, "arguments": arguments} for name, arguments in calls],
        "finish": finish,
        "usage": {"input": used, "output": made},
    }


def with_tools(scenario):
    return scenario in ("tools", "results")


def chat_messages(scenario):
    """OpenAI's form, which Cohere's v2 shares but for what stands beside calls."""
    if scenario == "text":
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": HELLO}]
    if scenario == "image":
        parts = [{"type": "text", "text": LOOK}, {"type": "image_url", "image_url": {"url": PICTURE}}]
        return [{"role": "user", "content": parts}]
    ask = {"role": "user", "content": ASK}
    if scenario == "tools":
        return [ask]
    calls = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for id, name, arguments in CALLS
    ]
    results = [{"role": "tool", "tool_call_id": id, "content": text} for id, _, text in RESULTS]
    beside = {"tool_plan": "One moment."} if SDK == "cohere" else {"content": "One moment."}
    return [ask, {"role": "assistant", "tool_calls": calls, **beside}, *results]


def openai_chat():
    import openai

    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)

    def ask(model, scenario, stream):
        request = {"model": model, "messages": chat_messages(scenario)}
        if with_tools(scenario):
            request["tools"] = FUNCTIONS
        if stream:
            with client.chat.completions.stream(**request, stream_options={"include_usage": True}) as events:
                answer = events.get_final_completion()
        else:
            answer = client.chat.completions.create(**request)
        choice = answer.choices[0]
        calls = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls or []]
        usage = answer.usage
        return said(choice.message.content, calls, choice.finish_reason, usage.prompt_tokens, usage.completion_tokens)

    return ask


def openai_responses():
    import openai

    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)

    def items(scenario):
        if scenario == "text":
            return [{"role": "user", "content": HELLO}]
        if scenario == "image":
            image = {"type": "input_image", "image_url": PICTURE, "detail": "auto"}
            return [{"role": "user", "content": [{"type": "input_text", "text": LOOK}, image]}]
        asked = [{"role": "user", "content": ASK}]
        if scenario == "tools":
            return asked
        for id, name, arguments in CALLS:
            asked.append({"type": "function_call", "call_id": id, "name": name, "arguments": json.dumps(arguments)})
        for id, _, text in RESULTS:
            asked.append({"type": "function_call_output", "call_id": id, "output": text})
        return asked

    def ask(model, scenario, stream):
        request = {"model": model, "input": items(scenario), "store": False}
        if scenario == "text":
            request["instructions"] = SYSTEM
        if with_tools(scenario):
            request["tools"] = [{"type": "function", "strict": False, **tool} for tool in TOOLS]
        if stream:
            with client.responses.stream(**request) as events:
                answer = events.get_final_response()
        else:
            answer = client.responses.create(**request)
        calls = [(it.name, json.loads(it.arguments)) for it in answer.output if it.type == "function_call"]
        return said(
            answer.output_text, calls, answer.status, answer.usage.input_tokens, answer.usage.output_tokens
        )

    return ask


def anthropic_messages():
    import anthropic

    client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)

    def messages(scenario):
        if scenario == "text":
            return [{"role": "user", "content": HELLO}]
        if scenario == "image":
            image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
            return [{"role": "user", "content": [{"type": "text", "text": LOOK}, image]}]
        ask = {"role": "user", "content": ASK}
        if scenario == "tools":
            return [ask]
        calls = [{"type": "tool_use", "id": id, "name": name, "input": arguments} for id, name, arguments in CALLS]
        results = [{"type": "tool_result", "tool_use_id": id, "content": text} for id, _, text in RESULTS]
        return [
            ask,
            {"role": "assistant", "content": [{"type": "text", "text": "One moment."}, *calls]},
            {"role": "user", "content": results},
        ]

    def ask(model, scenario, stream):
        request = {"model": model, "max_tokens": 500, "messages": messages(scenario)}
        if scenario == "text":
            request["system"] = SYSTEM
        if with_tools(scenario):
            request["tools"] = [
                {"name": it["name"], "description": it["description"], "input_schema": it["parameters"]} for it in TOOLS
            ]
        if stream:
            with client.messages.stream(**request) as events:
                answer = events.get_final_message()
        else:
            answer = client.messages.create(**request)
        text = "".join(block.text for block in answer.content if block.type == "text")
        calls = [(block.name, block.input) for block in answer.content if block.type == "tool_use"]
        return said(text, calls, answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens)

    return ask


def google_genai():
    from google import genai
    from google.genai import types

    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=URL))

    def contents(scenario):
        def content(role, *parts):
            return types.Content(role=role, parts=list(parts))

        if scenario == "text":
            return [content("user", types.Part(text=HELLO))]
        if scenario == "image":
            image = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
            return [content("user", types.Part(text=LOOK), image)]
        ask = content("user", types.Part(text=ASK))
        if scenario == "tools":
            return [ask]
        calls = [types.Part.from_function_call(name=name, args=arguments) for _, name, arguments in CALLS]
        # What Google's documentation has for calls of another model's making.
        calls[0].thought_signature = b"skip_thought_signature_validator"
        results = [types.Part.from_function_response(name=name, response={"output": text}) for _, name, text in RESULTS]
        return [ask, content("model", types.Part(text="One moment."), *calls), content("user", *results)]

    def ask(model, scenario, stream):
        config = types.GenerateContentConfig(
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
        )
        if scenario == "text":
            config.system_instruction = SYSTEM
        if with_tools(scenario):
            config.tools = [
                types.Tool(
                    function_declarations=[
                        types.FunctionDeclaration(
                            name=it["name"], description=it["description"], parameters_json_schema=it["parameters"]
                        )
                        for it in TOOLS
                    ]
                )
            ]
        request = {"model": model, "contents": contents(scenario), "config": config}
        chunks = (
            list(client.models.generate_content_stream(**request))
            if stream
            else [client.models.generate_content(**request)]
        )
        text, calls, finish, usage = "", [], None, None
        for chunk in chunks:
            usage = chunk.usage_metadata or usage
            for candidate in chunk.candidates or []:
                finish = candidate.finish_reason or finish
                for part in (candidate.content and candidate.content.parts) or []:
                    if part.function_call:
                        calls.append((part.function_call.name, part.function_call.args))
                    elif part.text and not part.thought:
                        text += part.text
        made = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
        return said(text, calls, finish.value, usage.prompt_token_count, made)

    return ask


def cohere_v2():
    import cohere

    client = cohere.ClientV2(api_key=KEY, base_url=URL)

    def ask(model, scenario, stream):
        request = {"model": model, "messages": chat_messages(scenario)}
        if with_tools(scenario):
            request["tools"] = FUNCTIONS
        if not stream:
            answer = client.chat(**request)
            message = answer.message
            text = (message.tool_plan or "") + "".join(part.text for part in message.content or [] if part.type == "text")
            calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]
            tokens = answer.usage.tokens
            return said(text, calls, answer.finish_reason, int(tokens.input_tokens), int(tokens.output_tokens))
        text, calls, finish, tokens = "", [], None, None
        for event in client.chat_stream(**request):
            if event.type == "content-delta":
                text += event.delta.message.content.text or ""
            elif event.type == "tool-plan-delta":
                text += event.delta.message.tool_plan
            elif event.type == "tool-call-start":
                calls.append([event.delta.message.tool_calls.function.name, ""])
            elif event.type == "tool-call-delta":
                calls[event.index][1] += event.delta.message.tool_calls.function.arguments
            elif event.type == "message-end":
                finish, tokens = event.delta.finish_reason, event.delta.usage.tokens
        parsed = [(name, json.loads(arguments)) for name, arguments in calls]
        return said(text, parsed, finish, int(tokens.input_tokens), int(tokens.output_tokens))

    return ask


def bedrock():
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=URL,
        region_name="eu-west-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
        config=Config(retries={"total_max_attempts": 1}),
    )

    def messages(scenario):
        if scenario == "text":
            return [{"role": "user", "content": [{"text": HELLO}]}]
        if scenario == "image":
            image = {"image": {"format": "png", "source": {"bytes": base64.b64decode(PNG)}}}
            return [{"role": "user", "content": [{"text": LOOK}, image]}]
        ask = {"role": "user", "content": [{"text": ASK}]}
        if scenario == "tools":
            return [ask]
        calls = [{"toolUse": {"toolUseId": id, "name": name, "input": arguments}} for id, name, arguments in CALLS]
        results = [{"toolResult": {"toolUseId": id, "content": [{"text": text}]}} for id, _, text in RESULTS]
        return [
            ask,
            {"role": "assistant", "content": [{"text": "One moment."}, *calls]},
            {"role": "user", "content": results},
        ]

    def ask(model, scenario, stream):
        request = {"modelId": model, "messages": messages(scenario)}
        if scenario == "text":
            request["system"] = [{"text": SYSTEM}]
        if with_tools(scenario):
            request["toolConfig"] = {
                "tools": [
                    {
                        "toolSpec": {
                            "name": it["name"],
                            "description": it["description"],
                            "inputSchema": {"json": it["parameters"]},
                        }
                    }
                    for it in TOOLS
                ]
            }
        if not stream:
            answer = client.converse(**request)
            content = answer["output"]["message"]["content"]
            text = "".join(block.get("text", "") for block in content)
            calls = [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in content if "toolUse" in block]
            usage = answer["usage"]
            return said(text, calls, answer["stopReason"], usage["inputTokens"], usage["outputTokens"])
        text, calls, finish, usage = "", [], None, None
        for event in client.converse_stream(**request)["stream"]:
            if "contentBlockStart" in event and "toolUse" in event["contentBlockStart"].get("start", {}):
                calls.append([event["contentBlockStart"]["start"]["toolUse"]["name"], ""])
            elif "contentBlockDelta" in event:
                delta = event["contentBlockDelta"]["delta"]
                text += delta.get("text", "")
                if "toolUse" in delta:
                    calls[-1][1] += delta["toolUse"]["input"]
            elif "messageStop" in event:
                finish = event["messageStop"]["stopReason"]
            elif "metadata" in event:
                usage = event["metadata"]["usage"]
        # Bedrock itself sends nothing for a call without arguments.
        parsed = [(name, json.loads(arguments or "{}")) for name, arguments in calls]
        return said(text, parsed, finish, usage["inputTokens"], usage["outputTokens"])

    return ask


sdks = {
    "openai": openai_chat,
    "responses": openai_responses,
    "anthropic": anthropic_messages,
    "google": google_genai,
    "cohere": cohere_v2,
    "bedrock": bedrock,
}
ask = sdks[SDK]()
results = {}
for model in MODELS:
    for scenario in ("text", "tools", "results", "image"):
        for how in ("whole", "streamed"):
            try:
                results[f"{model} {scenario} {how}"] = ask(model, scenario, how == "streamed")
            except Exception as error:  # whatever an SDK raises is what its user would see
                results[f"{model} {scenario} {how}"] = {"error": f"{type(error).__name__}: {error}"[:300]}
print(json.dumps(results))
