import { z } from 'zod';
import { json } from '../answers';
import type { ApiErrors, HappenedEvent, Route } from '../provider';
import { isListed, listedTime, Pager, type listBehaviour } from '../listing';
import { randomId } from '../signing';
import type { Behaviour } from '../types';
import { parseBody } from '../validation';

/** What the sandbox keeps of a published article. */
interface Article {
	id: string;
	slug: string;
	title: string;
	excerpt: string | null;
	status: 'published' | 'draft';
	tags: string[];
	published_at: string;
	created_at: string;
	updated_at: string;
	visibility: string;
	canonical_url: string;
	content_html: string;
	content_markdown: string;
	featured_image_url: string | null;
}

const published = z.object({
	article: z.object({
		id: z.string(),
		slug: z.string().default('article'),
		title: z.string().default('Article'),
		excerpt: z.string().nullable().default(null),
		tags: z.array(z.string()).nullable().default([]),
		published_at: z.string().nullish(),
		updated_at: z.string().nullish(),
		visibility: z.string().default('public'),
		canonical_url: z.string().nullish(),
		content_html: z.string().nullish(),
		content_markdown: z.string().nullish(),
		featured_image_url: z.string().nullish(),
	}),
});

const listQuery = z.object({
	status: z
		.enum(['draft', 'published', 'scheduled', 'archived', 'flagged', 'all'])
		.default('published'),
	visibility: z.string().optional(),
	webhook_only: z.enum(['true', 'false']).optional(),
	tag: z.string().optional(),
	sort: z.enum(['newest', 'views']).default('newest'),
	limit: z.coerce.number().int().min(1).max(100).default(20),
	offset: z.coerce.number().int().min(0).default(0),
});

type ArticleBehaviour = Pick<
	Behaviour,
	'articleList' | 'callsPerMinute' | keyof typeof listBehaviour
>;

/**
 * The articles of an account, as docs.misar.io/blog/api-reference/articles and the SDKs describe them,
 * kept from the events that were fired.
 */
export class Articles {
	private readonly byId = new Map<string, Article>();
	private readonly pager = new Pager<Article>({
		comes: () => this.publishAnother(),
		goes: ({ id }) => this.byId.delete(id),
	});

	/** Keeps what an event says about an article. */
	record({ event, at, data }: HappenedEvent): void {
		const parsed = published.safeParse(data);
		if (!parsed.success) return;
		const { article } = parsed.data;
		if (event === 'article.deleted') this.byId.delete(article.id);
		if (event !== 'article.published' && event !== 'article.updated') return;
		this.byId.set(article.id, {
			id: article.id,
			slug: article.slug,
			title: article.title,
			excerpt: article.excerpt,
			status: 'published',
			tags: article.tags ?? [],
			published_at: article.published_at ?? at,
			created_at: at,
			updated_at: article.updated_at ?? at,
			visibility: article.visibility,
			canonical_url: article.canonical_url ?? 'https://www.misar.blog/@u/articles/a',
			content_html: article.content_html ?? '',
			content_markdown: article.content_markdown ?? '',
			featured_image_url: article.featured_image_url ?? null,
		});
	}

	clear(): void {
		this.byId.clear();
		this.pager.reset();
	}

	/** Another author may publish while the list is read. */
	private publishAnother(): void {
		const data = { article: { id: randomId('art-') } };
		this.record({ event: 'article.published', id: '', at: new Date().toISOString(), data });
	}

	/** @param current - `articleList`: `data` as the reference shows lists, `articles` as the SDKs do */
	routes(errors: ApiErrors, current: () => ArticleBehaviour): Route[] {
		const headers = () => ({
			'x-ratelimit-limit': String(current().callsPerMinute),
			'x-ratelimit-remaining': String(current().callsPerMinute - 1),
		});
		return [
			{
				method: 'GET',
				path: '/blog/v1/articles',
				handle: ({ query }) => {
					const asked = parseBody(listQuery, Object.fromEntries(query), errors);
					const behaviour = current();
					const all = [...this.byId.values()]
						.filter((article) => isListed(article.published_at, behaviour))
						.filter((article) => asked.status === 'all' || article.status === asked.status)
						.filter(({ visibility }) => (asked.visibility ?? visibility) === visibility)
						.filter(({ tags }) => asked.tag === undefined || tags.includes(asked.tag))
						.sort((a, b) => Date.parse(b.published_at) - Date.parse(a.published_at));
					const { limit, offset } = asked;
					const page = this.pager.page(all, { limit, from: { offset } }, behaviour);
					const { total } = page;
					const entries = page.entries.map((article) => ({
						...article,
						published_at: listedTime(article.published_at, behaviour),
					}));
					const body =
						behaviour.articleList === 'data'
							? { data: entries.map(documented), total, limit, offset }
							: { articles: entries.map(asInSdk), total };
					return json(200, body, headers());
				},
			},
			{
				method: 'GET',
				path: '/blog/v1/articles/:slug',
				open: true,
				handle: (_request, { slug = '' }) => {
					const article =
						this.byId.get(slug) ?? [...this.byId.values()].find((one) => one.slug === slug);
					if (article === undefined) return json(404, { error: 'Article not found' }, headers());
					const { content_html, content_markdown, updated_at, featured_image_url, visibility } =
						article;
					return json(
						200,
						{
							...asInSdk(article),
							...{ updated_at, read_count: 1, visibility, featured_image_url },
							editor_url: `https://misar.blog/editor/${article.id}`,
							...{ content_markdown, content_html },
						},
						headers(),
					);
				},
			},
		];
	}
}

function documented({
	id,
	slug,
	title,
	excerpt,
	tags,
	published_at,
	featured_image_url,
	visibility,
}: Article) {
	return {
		...{ id, slug, title, excerpt, featured_image_url, published_at, tags },
		...{ read_time_seconds: 480, view_count: 1, reaction_count: 0, comment_count: 0 },
		webhook_only: visibility === 'webhook_only',
	};
}

function asInSdk({
	id,
	slug,
	title,
	excerpt,
	status,
	tags,
	published_at,
	created_at,
	canonical_url,
}: Article) {
	return {
		...{ id, slug, title, excerpt, status, tags, published_at, created_at },
		...{ view_count: 1, is_premium: false, price_cents: 0, url: canonical_url },
	};
}
