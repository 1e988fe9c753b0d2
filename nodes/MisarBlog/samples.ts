import type { EventSample } from '../shared/provider';

/** Samples of what Misar.Blog sends, after its webhook reference, which prints one for each event of articles. */

const AT = '2026-01-15T09:30:00.000Z';
const author = { username: 'ada', display_name: 'Ada Lovelace' };
const article = {
	id: '7b3f1c2e-5d4a-4c1b-9e0f-2a6d8c3b1f00',
	slug: 'my-first-article',
	title: 'My First Article',
	published_at: AT,
	updated_at: AT,
};

export function sample(event: string): EventSample {
	if (event === 'comment.created') {
		// Named on the platform page alone, without a shape.
		const comment = { id: 'com_1', body: 'Well said.' };
		const data = { comment, article: { id: article.id }, author };
		return { body: { event, timestamp: AT, ...data }, isDocumented: false };
	}
	const content = event === 'article.deleted' ? deleted : published;
	return {
		body: { event, timestamp: AT, article: { ...article, ...content }, author },
		isDocumented: true,
	};
}

const deleted = {
	excerpt: null,
	content_html: null,
	tags: null,
	canonical_url: null,
};
const published = {
	excerpt: 'A brief summary of the article.',
	content_html: '<p>Full HTML content…</p>',
	content_markdown: 'Full content…',
	visibility: 'public',
	tags: ['writing', 'productivity'],
	canonical_url: 'https://www.misar.blog/@ada/articles/my-first-article',
	featured_image_url: 'https://images.example.com/cover.jpg',
	featured_image_credit_name: 'A. Photographer',
	featured_image_credit_url: 'https://images.example.com/@photographer',
	featured_image_source: 'unsplash',
};
