/** The commands that send a first call, with the reader's own address and key. */

export interface Snippet {
  id: string;
  title: string;
  text: string;
}

export function snippets(baseUrl: string, key: string, model: string): Snippet[] {
  const url = `${baseUrl}/v1`;
  const question = "What does Sternpost do?";
  return [
    { id: "env", title: "env", text: `export OPENAI_BASE_URL=${url}\nexport OPENAI_API_KEY=${key}` },
    {
      id: "curl",
      title: "curl",
      text: `curl ${url}/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "${model}",
    "messages": [{"role": "user", "content": "${question}"}]
  }'`,
    },
    {
      id: "python",
      title: "Python",
      text: `from openai import OpenAI

client = OpenAI(base_url="${url}", api_key="${key}")
reply = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "${question}"}],
)
print(reply.choices[0].message.content)`,
    },
    {
      id: "typescript",
      title: "TypeScript",
      text: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${url}", apiKey: "${key}" });
const reply = await client.chat.completions.create({
  model: "${model}",
  messages: [{ role: "user", content: "${question}" }],
});
console.log(reply.choices[0].message.content);`,
    },
  ];
}
