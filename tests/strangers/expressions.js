// The evaluator of those who wrote the specification: a JSON list of [text, context] in, what each says out.
'use strict';

const { EvaluatorFactory } = require('@floip/expression-evaluator');

let input = '';
process.stdin.on('data', (piece) => { input += piece; });
process.stdin.on('end', () => {
  const evaluator = EvaluatorFactory.create();
  const said = JSON.parse(input).map(([text, context]) => {
    try {
      return { said: evaluator.evaluate(text, context) };
    } catch (error) {
      return { failed: String(error.message) };
    }
  });
  console.log(JSON.stringify(said));
});
