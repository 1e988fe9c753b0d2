import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import type { ActionCall } from '../provider';
import { namesSchema, readParameter } from './parameter';

/**
 * The fields of an API's answer that has more than ten. n8n's UX guidelines ask for a choice then: Simplify in a
 * workflow, Output in a tool of an AI agent.
 */
export interface AnswerFields {
	/** The field that identifies the answer, always in the output. */
	readonly id: string;
	/** The most useful ones, the most used first: ten at most. */
	readonly simplified: readonly string[];
	/** All that are known. */
	readonly all: () => z.ZodObject;
}

const WORDS_IN_CAPITALS = ['html', 'id', 'url'];

/** The parameters that choose fields. */
export function outputFields({ id, all }: AnswerFields): INodeProperties[] {
	return [
		{
			displayName: 'Simplify',
			name: 'simplify',
			type: 'boolean',
			default: true,
			description: 'Whether to return a simplified version of the response instead of the raw data',
			displayOptions: { show: { '@tool': [false] } },
		},
		{
			displayName: 'Output',
			name: 'output',
			type: 'options',
			options: [
				{ name: 'Raw', value: 'raw', description: 'All fields' },
				{ name: 'Selected Fields', value: 'selected', description: 'Only those you choose' },
				{ name: 'Simplified', value: 'simplified', description: 'The most useful fields' },
			],
			default: 'simplified',
			description: 'Which fields the agent gets. Too many of them confuse it.',
			displayOptions: { show: { '@tool': [true] } },
		},
		{
			displayName: 'Fields',
			name: 'fields',
			type: 'multiOptions',
			options: Object.keys(all().shape)
				.map((value) => ({
					name: titleOf(value),
					value,
					description: `Called ${value} in the output`,
				}))
				.sort((a, b) => a.name.localeCompare(b.name)),
			default: [],
			description: `Which fields the agent gets. ${titleOf(id)} is always among them.`,
			displayOptions: { show: { '@tool': [true], output: ['selected'] } },
		},
	];
}

/** The fields of an item by default. */
export function simplifiedOutput({ simplified, all }: AnswerFields): z.ZodObject {
	return all().pick(Object.fromEntries(simplified.map((name) => [name, true])));
}

/** Reduces an answer to the fields that the user chose. */
export function chosenOutput(
	call: ActionCall,
	{ id, simplified }: AnswerFields,
): (answer: IDataObject) => IDataObject {
	const simplify = readParameter(call, 'simplify', z.boolean(), true);
	// Only a tool has this parameter.
	const output = readParameter(
		call,
		'output',
		z.enum(['raw', 'selected', 'simplified']),
		simplify ? 'simplified' : 'raw',
	);
	if (output === 'raw') return (answer) => answer;
	const names =
		output === 'simplified' ? simplified : [id, ...readParameter(call, 'fields', namesSchema, [])];
	return (answer) =>
		Object.fromEntries(
			[...new Set(names)]
				.filter((name) => Object.hasOwn(answer, name))
				.map((name) => [name, answer[name]]),
		);
}

/** `published_at` and `publishedAt` as "Published At". */
function titleOf(name: string): string {
	return name
		.replace(/[A-Z]/g, ' $&')
		.split(/[\s_]+/)
		.map((word) => word.toLowerCase())
		.map((word) =>
			WORDS_IN_CAPITALS.includes(word)
				? word.toUpperCase()
				: `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`,
		)
		.join(' ');
}
