/** As much of `node:test` as the unit tests use, with the results in the page. */

const tests = [];

export default function test(name, body) {
  tests.push({ name, body });
}

export async function run() {
  for (const { name, body } of tests) {
    const line = document.createElement('li');
    document.getElementById('results').append(line);
    try {
      await body();
      line.className = 'passed';
      line.textContent = name;
    } catch (error) {
      line.className = 'failed';
      line.textContent = `${name}: ${error.message}`;
    }
  }
  document.body.dataset.result = document.querySelector('.failed') ? 'failed' : 'passed';
}
