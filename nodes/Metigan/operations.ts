import { getManyOf, type ListFacts } from '../shared/action/list';
import { isJsonObject } from '../shared/jsonObject';
import type { Operation } from '../shared/provider';
import { PAGE_SIZE, suppressionPageSchema, SUPPRESSIONS } from './recovery';
import { add, get, remove, RESOURCE, suppressionOutput, NOUN } from './suppressions';

/** The suppression list, after Metigan's JavaScript SDK 2.5. */

const suppressions: ListFacts = {
	noun: NOUN,
	path: SUPPRESSIONS,
	filters: [
		{
			displayName: 'Suppressed From',
			name: 'from',
			type: 'dateTime',
			default: '',
			description: 'Only addresses that were suppressed at this time or later',
		},
		{
			displayName: 'Suppressed To',
			name: 'to',
			type: 'dateTime',
			default: '',
			description: 'Only addresses that were suppressed on this day or earlier',
		},
		{
			displayName: 'Suppression Reason',
			name: 'reason',
			type: 'options',
			options: [
				{ name: 'Hard Bounce', value: 'hard_bounce', description: 'The address does not exist' },
				{
					name: 'Invalid Format',
					value: 'invalid_format',
					description: 'The text is not an email address',
				},
				{ name: 'Manual', value: 'manual', description: 'Someone added it to the list' },
				{
					name: 'Soft Bounce',
					value: 'soft_bounce',
					description: 'A temporary problem; kept for 30 days',
				},
				{
					name: 'Spam Complaint',
					value: 'complaint',
					description: 'The recipient marked an email as spam',
				},
				{ name: 'Unsubscribe', value: 'unsubscribe', description: 'The recipient opted out' },
			],
			default: 'hard_bounce',
			description: 'Why the address gets no more emails',
		},
		{
			displayName: 'Suppression Source',
			name: 'source',
			type: 'string',
			default: '',
			placeholder: 'e.g. bounce_handler',
			description: 'Who put the address on the list',
		},
	],
	takesDays: true,
	query: (filters, number) => ({
		...filters,
		sort: 'newest',
		page: number + 1,
		limit: PAGE_SIZE,
	}),
	output: {
		id: 'email',
		simplified: [
			...['email', 'reason', 'source', 'createdAt', 'bounceCode', 'diagnostic', 'policy'],
			'messageId',
		],
		all: suppressionOutput,
	},
	read: (body) => suppressionPageSchema.safeParse(body).data?.data.filter(isJsonObject),
};

export const operations: readonly Operation[] = [
	add,
	get,
	getManyOf(RESOURCE, suppressions),
	remove,
];
