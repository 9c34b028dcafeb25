"""Chats with the model argv[2] at argv[1] by Google's SDK, and prints the history it keeps, or the error that a stream ended in."""

import json
import sys

from google import genai
from google.genai import errors, types

url, model = sys.argv[1:]
client = genai.Client(api_key="the-callers-own", http_options=types.HttpOptions(base_url=url))
chat = client.chats.create(model=model)
text = ""
try:
    for chunk in chat.send_message_stream("Say hello to the harbour"):
        text += chunk.text or ""
    failure = None
except errors.APIError as error:
    failure = [error.code, error.status]
kept = [[it.role, "".join(part.text or "" for part in it.parts)] for it in chat.get_history(curated=True)]
print(json.dumps({"text": text, "failure": failure, "kept": kept}))
