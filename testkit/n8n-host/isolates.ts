/**
 * n8n's settings to evaluate expressions in V8 isolates, as by default, but to create one only if there is
 * something to evaluate: by default it creates one for each delivery, run and credential that is read, which takes
 * more processor time than everything else. deploy/docker-compose.yml has them, too.
 */
export const LAZY_ISOLATES = {
	N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
	N8N_EXPRESSION_ENGINE_COMPILE_CACHE: 'true',
};

/** Evaluation in n8n's own process, for thousands of runs with an expression. n8n calls it no longer secure. */
export const NO_ISOLATES = { N8N_EXPRESSION_ENGINE: 'legacy' };

/** For tests that also run in n8n 1.x (testkit/oldestN8n.ts), which does not know {@link LAZY_ISOLATES}. */
export const FEW_ISOLATES: Record<string, string> =
	process.env['N8N_HOST_PIN'] === '1.x' ? NO_ISOLATES : LAZY_ISOLATES;
