'use strict';

const { appendFileSync } = require('node:fs');
const Module = require('node:module');

/**
 * Required before n8n: writes down each expression that n8n's engine evaluates, to `EVALUATIONS`, a line of JSON
 * each, and whether an isolate was taken for it.
 */
const load = Module._load;
Module._load = function loadModule(request, ...rest) {
	const loaded = load.call(this, request, ...rest);
	if (request === 'n8n-workflow') watch(loaded.Expression);
	return loaded;
};

function watch(Expression) {
	if (Object.hasOwn(Expression, 'isWatched')) return;
	Expression.isWatched = true;
	const { initExpressionEngine } = Expression;
	Expression.initExpressionEngine = async function init(...args) {
		await initExpressionEngine.apply(this, args);
		record(this.vmEvaluator);
	};
}

function record(evaluator) {
	const { evaluate } = evaluator;
	evaluator.evaluate = function recorded(expression, data, caller, ...rest) {
		const had = this.bridgesByCaller.has(caller);
		try {
			return evaluate.call(this, expression, data, caller, ...rest);
		} finally {
			const isolate = !had && this.bridgesByCaller.has(caller);
			appendFileSync(process.env.EVALUATIONS, `${JSON.stringify({ expression, isolate })}\n`);
		}
	};
}
