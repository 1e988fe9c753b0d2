/**
 * What a host for the browser is started with. In production, as in n8n's Docker image, the browser
 * keeps the editor's files; else it asks for all 250 of them again on each page.
 */
export const WITH_EDITOR = { editor: true, env: { NODE_ENV: 'production' } };
