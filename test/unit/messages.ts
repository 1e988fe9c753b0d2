import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

/** Functions with the position of the argument that a user or a provider reads. */
const MESSAGE_ARGUMENT = new Map([
	['settingsError', 1],
	['refused', 0],
	['refuse', 0],
	['retryLater', 0],
	['tell', 0],
]);
/** Properties that hold such a text. */
const MESSAGE_PROPERTY = new Set(['message', 'reason', 'error']);

/**
 * Every message that the nodes and credentials can give, read from their source. What is filled in
 * at run time is written as `…`.
 */
export function messagesOfTheNodes(root: string): Set<string> {
	const messages = new Set<string>();
	for (const folder of ['nodes', 'credentials']) {
		const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
		// Samples hold what providers write.
		for (const name of names.filter((file) => /(?<!samples)\.ts$/.test(file))) {
			const text = readFileSync(join(root, folder, name), 'utf8');
			const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
			visit(source, (message) => messages.add(message));
		}
	}
	return messages;
}

function visit(node: ts.Node, add: (message: string) => void): void {
	if (ts.isCallExpression(node)) {
		const place = MESSAGE_ARGUMENT.get(node.expression.getText());
		const argument = place === undefined ? undefined : node.arguments[place];
		if (argument !== undefined) texts(argument).forEach(add);
	}
	// A credential's test has a message for a status.
	const isMessage = (name: ts.PropertyName) =>
		MESSAGE_PROPERTY.has(name.getText()) || ts.isNumericLiteral(name);
	if (ts.isPropertyAssignment(node) && isMessage(node.name)) {
		texts(node.initializer).forEach(add);
	}
	ts.forEachChild(node, (child) => visit(child, add));
}

/** The texts that an expression can have; none if it is defined elsewhere. */
function texts(node: ts.Expression): string[] {
	if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
	if (ts.isTemplateExpression(node)) {
		return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
	}
	if (ts.isConditionalExpression(node)) return [...texts(node.whenTrue), ...texts(node.whenFalse)];
	if (
		ts.isBinaryExpression(node) &&
		node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken
	) {
		return [...texts(node.left), ...texts(node.right)];
	}
	return [];
}
