import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { getManyOf, listClient, readList, type ListFacts } from '../shared/action/list';
import {
	chosenOutput,
	outputFields,
	simplifiedOutput,
	type AnswerFields,
} from '../shared/action/output';
import { textSchema } from '../shared/action/parameter';
import { isMissing } from '../shared/api/request';
import { settingsError } from '../shared/errors';
import { isJsonObject } from '../shared/jsonObject';
import type { ActionCall, ListSearch, Operation, Resource } from '../shared/provider';
import { pathSegment } from '../shared/url';
import { timeOf } from '../shared/values';
import { articleListSchema, ARTICLES, PAGE_SIZE } from './recovery';

/** Articles, after docs.misar.io/blog/api-reference/articles. */

const RESOURCE: Resource = {
	name: 'Article',
	value: 'article',
	description: 'An article of your blog',
};

/** What every answer has of an article. */
const commonOutput = z.object({
	id: z.string(),
	slug: z.string(),
	title: z.string(),
	excerpt: z.string().nullable(),
	tags: z.array(z.string()),
	published_at: z.string(),
	view_count: z.number(),
});

/** What only the SDKs show of an article. */
const sdkOutput = z.object({
	status: z.string(),
	created_at: z.string(),
	is_premium: z.boolean(),
	price_cents: z.number(),
	url: z.string(),
});

/** A listed article: the reference and the SDKs differ in what it has besides. */
const listedOutput = () =>
	commonOutput.extend({
		...sdkOutput.partial().shape,
		featured_image_url: z.string().nullable().optional(),
		read_time_seconds: z.number().optional(),
		reaction_count: z.number().optional(),
		comment_count: z.number().optional(),
		webhook_only: z.boolean().optional(),
	});

const articleOutput = () =>
	commonOutput.extend({
		...sdkOutput.shape,
		updated_at: z.string(),
		read_count: z.number(),
		visibility: z.string(),
		featured_image_url: z.string().nullable(),
		editor_url: z.string(),
		content_markdown: z.string(),
		content_html: z.string(),
	});

const articles: ListFacts = {
	noun: 'articles',
	path: ARTICLES,
	filters: [
		{
			displayName: 'Published Since',
			name: 'since',
			type: 'dateTime',
			default: '',
			description: 'Only articles that were published at this time or later',
		},
		{
			displayName: 'Status',
			name: 'status',
			type: 'options',
			options: [
				{ name: 'Archived', value: 'archived', description: 'No longer shown' },
				{ name: 'Draft', value: 'draft', description: 'Not published yet' },
				{ name: 'Flagged', value: 'flagged', description: 'Held back by Misar' },
				{ name: 'Published', value: 'published', description: 'Live, the default' },
				{ name: 'Scheduled', value: 'scheduled', description: 'To be published later' },
			],
			default: 'published',
			description: 'Which state the articles are in',
		},
		{
			displayName: 'Visibility',
			name: 'visibility',
			type: 'options',
			options: [
				{ name: 'Paid', value: 'paid', description: 'Readers who pay for it' },
				{ name: 'Private', value: 'private', description: 'Only you' },
				{ name: 'Public', value: 'public', description: 'Everybody' },
				{ name: 'Subscribers', value: 'subscribers', description: 'Readers who subscribed' },
				{
					name: 'Webhook Only',
					value: 'webhook_only',
					description: 'Nobody: sent to webhooks only',
				},
			],
			default: 'public',
			description: 'Who may read the articles',
		},
	],
	query: ({ status = 'published', visibility }, number) => ({
		status,
		...(visibility === undefined ? {} : { visibility }),
		sort: 'newest',
		limit: PAGE_SIZE,
		offset: number * PAGE_SIZE,
	}),
	// The API has no filter by time.
	matches: ({ published_at: publishedAt }, { since }) =>
		since === undefined || (timeOf(publishedAt) ?? Number.NaN) >= (timeOf(since) ?? Number.NaN),
	output: {
		id: 'id',
		simplified: [
			...['id', 'title', 'url', 'excerpt', 'tags', 'status', 'published_at', 'slug'],
			...['view_count', 'featured_image_url'],
		],
		all: listedOutput,
	},
	read: (body) => articleListSchema.safeParse(body).data?.data.filter((item) => isJsonObject(item)),
};

/** One article has its content, too. */
const ARTICLE_FIELDS: AnswerFields = {
	id: 'id',
	simplified: [
		...['id', 'title', 'url', 'excerpt', 'tags', 'published_at', 'updated_at', 'slug'],
		...['visibility', 'content_markdown'],
	],
	all: articleOutput,
};

const ARTICLE: INodeProperties = {
	displayName: 'Article',
	name: 'article',
	type: 'resourceLocator',
	required: true,
	default: { mode: 'list', value: '' },
	description: 'The article to get',
	modes: [
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			placeholder: 'Select an article…',
			typeOptions: { searchListMethod: 'searchArticles', searchable: true },
		},
		{ displayName: 'By ID or Slug', name: 'id', type: 'string', placeholder: 'e.g. my-article' },
	],
};

export const operations: readonly Operation[] = [
	{
		resource: RESOURCE,
		value: 'get',
		name: 'Get',
		action: 'Get article',
		description: 'Get one article with its content',
		offered: () => 'documented',
		properties: () => [ARTICLE, ...outputFields(ARTICLE_FIELDS)],
		output: () => simplifiedOutput(ARTICLE_FIELDS),
		run: async (call) => {
			const chosen = chosenOutput(call, ARTICLE_FIELDS);
			return [{ json: chosen(await getArticle(call)) }];
		},
	},
	getManyOf(RESOURCE, articles),
];

async function getArticle(call: ActionCall): Promise<IDataObject> {
	const { context, itemIndex } = call;
	const chosen = textSchema.safeParse(
		context.getNodeParameter('article', itemIndex, '', { extractValue: true }),
	);
	if (!chosen.success) {
		throw settingsError(
			context,
			'No article is chosen',
			'Choose one from the list or enter its ID or slug',
		);
	}
	const id = chosen.data;
	const client = listClient(call, articles);
	const segment = pathSegment(id);
	const path = `${ARTICLES}/${segment ?? ''}`;
	const attempt =
		segment === undefined ? undefined : await client.send({ method: 'GET' }, path, {});
	if (attempt === undefined || isMissing(attempt)) {
		throw settingsError(
			context,
			`There is no published article "${id}"`,
			'Check the ID or the slug; drafts cannot be retrieved',
		);
	}
	const read = (body: unknown) => (isJsonObject(body) ? body : undefined);
	return client.valueOf('GET', path, attempt, read, 'an article');
}

/** The newest articles for the resource locator, by their title. */
const searchArticles: ListSearch = async (call) =>
	(await readList(call, articles, {}, PAGE_SIZE))
		.map(({ id, title, slug }) => ({
			name: typeof title === 'string' ? title : String(slug),
			value: String(id),
		}))
		.filter(({ name }) => name.toLowerCase().includes(call.filter));

export const searches = { searchArticles };
