import type { SampleRequest } from '../provider';

/** The example payloads of the Misar.Blog reference; the article's id is the event's. */
export function sampleBlogData({ event, id, at }: SampleRequest): unknown {
	const author = { username: 'mrgulshanyadav', display_name: 'mrgulshanyadav' };
	if (event === 'comment.created') {
		// Named on misar.io/docs/webhooks only, without a shape.
		return { comment: { id: 'com_1', body: 'Well said.' }, article: { id }, author };
	}
	const article = {
		id,
		slug: 'my-first-article',
		title: 'My First Article',
		published_at: at,
		updated_at: at,
	};
	if (event === 'article.deleted') {
		return {
			article: {
				...article,
				excerpt: null,
				content_html: null,
				tags: null,
				canonical_url: null,
			},
			author,
		};
	}
	const revised = event === 'article.updated';
	return {
		article: {
			...article,
			title: revised ? 'My First Article (Revised)' : article.title,
			excerpt: revised ? 'Updated summary.' : 'A brief summary of the article.',
			content_html: revised ? '<p>Updated HTML content…</p>' : '<p>Full HTML content…</p>',
			content_markdown: revised ? 'Updated content…' : 'Full content…',
			visibility: 'public',
			tags: revised ? ['writing', 'productivity', 'tips'] : ['writing', 'productivity'],
			canonical_url: 'https://www.misar.blog/@username/articles/my-first-article',
			featured_image_url: 'https://images.example.com/cover.jpg',
			featured_image_credit_name: 'A. Photographer',
			featured_image_credit_url: 'https://images.example.com/@photographer',
			featured_image_source: 'unsplash',
		},
		author,
	};
}
