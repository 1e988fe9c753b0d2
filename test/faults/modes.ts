/** n8n with its defaults, and like older 2.x; the oldest supported version has no publication service. */
export const modes: ReadonlyArray<{ name: string; publicationService?: boolean }> =
	process.env['N8N_HOST_PIN'] === '1.x'
		? [{ name: 'n8n 1.123' }]
		: [
				{ name: 'with the publication service' },
				{ name: 'without the publication service', publicationService: false },
			];
