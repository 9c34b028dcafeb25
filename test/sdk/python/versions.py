"""Prints the version of each SDK, once it can be imported."""

import json
from importlib.metadata import version

import anthropic
import boto3
import cohere
import openai
from google import genai

modules = {"anthropic": anthropic, "boto3": boto3, "cohere": cohere, "google-genai": genai, "openai": openai}
print(json.dumps({name: version(name) for name, module in modules.items() if module.__name__}))
