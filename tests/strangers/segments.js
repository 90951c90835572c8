// Twilio's segment calculator: a JSON list of texts in, [encoding, segments] of each out.
'use strict';

const { SegmentedMessage } = require('sms-segments-calculator');

let input = '';
process.stdin.on('data', (piece) => { input += piece; });
process.stdin.on('end', () => {
  const sizes = JSON.parse(input).map((text) => {
    const message = new SegmentedMessage(text);
    return [message.encodingName, message.segments.length];
  });
  console.log(JSON.stringify(sizes));
});
