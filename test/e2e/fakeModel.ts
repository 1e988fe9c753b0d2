import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

import { z } from 'zod';

import { listen, stop } from '../../testkit/loopback';

/** A local model with OpenAI's Chat Completions API, which decides by a function what to do next. */

const requestSchema = z.object({
	messages: z.array(z.object({ role: z.string(), content: z.unknown() }).passthrough()),
});

/** A tool that the model calls. */
export interface ToolCall {
	readonly tool: string;
	readonly args: Readonly<Record<string, string | number | boolean>>;
}

/**
 * What the model does next.
 * @param task the first word of what the agent was asked
 * @param answers what its tool calls were answered so far
 * @returns undefined when it is done
 */
export type Policy = (task: string, answers: readonly string[]) => ToolCall | undefined;

/** Starts one. @returns its base URL, and what ends it */
export async function startFakeModel(policy: Policy) {
	const server = createServer((request, response) => {
		void json(request).then((body) => {
			const { messages } = requestSchema.parse(body);
			const of = (role: string) =>
				messages.filter((one) => one.role === role).map(({ content }) => textOf(content));
			// The agent adds the body that started the workflow.
			const [task = ''] = (of('user')[0] ?? '').split(/\s/);
			const call = policy(task, of('tool'));
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify(completion(call)));
		});
	});
	const origin = await listen(server);
	return { url: `${origin}/v1`, close: async () => await stop(server) };
}

/** A message's content is text, or text with attachments, such as the body that started the workflow. */
function textOf(content: unknown): string {
	const parts = z.array(z.object({ text: z.string() })).safeParse(content);
	return z.string().parse(parts.success ? parts.data[0]?.text : content);
}

function completion(call: ToolCall | undefined) {
	const tool = call && {
		id: `call_${crypto.randomUUID()}`,
		type: 'function',
		function: { name: call.tool, arguments: JSON.stringify(call.args) },
	};
	return {
		...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'fake' },
		choices: [
			{
				index: 0,
				message: {
					role: 'assistant',
					content: tool === undefined ? 'done' : null,
					...(tool === undefined ? {} : { tool_calls: [tool] }),
				},
				finish_reason: tool === undefined ? 'stop' : 'tool_calls',
			},
		],
		usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
	};
}
