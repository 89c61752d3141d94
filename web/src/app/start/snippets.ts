/** The commands that send a first call, with the reader's own address and key; each can be pasted and answers. */

export interface Snippet {
  id: string;
  title: string;
  text: string;
}

/** The built-in model quotes what it is given, so the question brings the text that answers it. */
const SYSTEM = "Sternpost is a gateway and a trace store in one. It records every call as a trace: what was sent and answered, how long it took and what it cost.";
const QUESTION = "What does Sternpost record?";

export function openaiSnippets(baseUrl: string, key: string, model: string): Snippet[] {
  const url = `${baseUrl}/v1`;
  return [
    {
      id: "curl",
      title: "curl",
      text: `curl ${url}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "${model}",
    "messages": [
      {"role": "system", "content": "${SYSTEM}"},
      {"role": "user", "content": "${QUESTION}"}
    ]
  }'`,
    },
    {
      id: "python",
      title: "Python",
      text: `from openai import OpenAI  # pip install openai

client = OpenAI(base_url="${url}", api_key="${key}")
reply = client.chat.completions.create(
    model="${model}",
    messages=[
        {"role": "system", "content": "${SYSTEM}"},
        {"role": "user", "content": "${QUESTION}"},
    ],
)
print(reply.choices[0].message.content)`,
    },
    {
      id: "javascript",
      title: "JavaScript",
      text: `import OpenAI from "openai"; // npm install openai; save as first.mjs

const client = new OpenAI({ baseURL: "${url}", apiKey: "${key}" });
const reply = await client.chat.completions.create({
  model: "${model}",
  messages: [
    { role: "system", content: "${SYSTEM}" },
    { role: "user", content: "${QUESTION}" },
  ],
});
console.log(reply.choices[0].message.content);`,
    },
    { id: "env", title: "Variables", text: `export OPENAI_BASE_URL=${url}\nexport OPENAI_API_KEY=${key}` },
  ];
}

export function anthropicSnippets(baseUrl: string, key: string, model: string): Snippet[] {
  return [
    {
      id: "curl",
      title: "curl",
      text: `curl ${baseUrl}/v1/messages \\
  -H "x-api-key: ${key}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "${model}",
    "max_tokens": 300,
    "system": "${SYSTEM}",
    "messages": [{"role": "user", "content": "${QUESTION}"}]
  }'`,
    },
    {
      id: "python",
      title: "Python",
      text: `from anthropic import Anthropic  # pip install anthropic

client = Anthropic(base_url="${baseUrl}", api_key="${key}")
reply = client.messages.create(
    model="${model}",
    max_tokens=300,
    system="${SYSTEM}",
    messages=[{"role": "user", "content": "${QUESTION}"}],
)
print(reply.content[0].text)`,
    },
    { id: "env", title: "Variables", text: `export ANTHROPIC_BASE_URL=${baseUrl}\nexport ANTHROPIC_API_KEY=${key}` },
  ];
}

export function otelSnippets(baseUrl: string, key: string): Snippet[] {
  return [
    {
      id: "env",
      title: "Variables",
      text: `export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${baseUrl}/v1/traces
export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_TRACES_HEADERS="authorization=Bearer%20${key}"`,
    },
    {
      id: "curl",
      title: "One span by curl",
      text: `now=$(date +%s)
curl ${baseUrl}/v1/traces \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": "'$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n')'",
    "spanId": "'$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')'",
    "name": "first span", "kind": 1,
    "startTimeUnixNano": "'$now'000000000", "endTimeUnixNano": "'$now'500000000",
    "attributes": [{"key": "input.value", "value": {"stringValue": "${QUESTION}"}}]
  }]}]}]}'`,
    },
  ];
}

export const keySnippets: Snippet[] = [
  { id: "env", title: "Variables", text: "export OPENAI_API_KEY=...      # or ANTHROPIC_API_KEY, GEMINI_API_KEY ...\nsternpost up" },
  {
    id: "file",
    title: "sternpost.yaml",
    text: `providers:
  openai:    {api_key: "\${OPENAI_API_KEY}"}
  anthropic: {api_key: "\${ANTHROPIC_API_KEY}"}
  lab:       {dialect: openai_chat, base_url: "http://127.0.0.1:9000/v1"}   # any host of yours`,
  },
];
