/** Operators who edit the configuration of one gateway, in real browsers. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { answering, startConfiguredHere, TOKEN } from '../support/configured.ts'
import { openConsole } from '../support/console.ts'
import { shared } from '../support/shared.ts'

const openBrowser = shared(startBrowser)

const writable = (body: string): string => answering(body, '', true)

/** A gateway, and a browser of an operator that shows its configuration. */
async function startEditing(t: TestContext, text: string) {
  const gateway = await startConfiguredHere(t, text)
  const open = async (): Promise<Page> => {
    const { page } = await openConsole(t, await openBrowser(), gateway.admin, 'configuration')
    await page.getByLabel('Token').fill(TOKEN)
    await page.getByLabel('Token').press('Enter')
    return page
  }
  return { ...gateway, open }
}

const editorOf = (page: Page) => page.getByLabel('Text of sallyport.yaml')

/** Replaces a part of the text in the editor, and compares. */
async function edit(page: Page, from: string, to: string): Promise<void> {
  const editor = editorOf(page)
  if ((await editor.count()) === 0) await page.getByRole('button', { name: 'Edit the configuration' }).click()
  await editor.fill((await editor.inputValue()).replace(from, to))
  await page.getByRole('button', { name: 'Check and compare' }).click()
}

async function apply(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
}

test('a file keeps its line ends when it is edited', async (t) => {
  const crlf = (body: string): string => writable(body).replaceAll('\n', '\r\n')
  const { open, file, answer } = await startEditing(t, crlf('one'))
  const page = await open()
  await edit(page, "'one'", "'two'")
  await apply(page)
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByText('is in effect and waiting').waitFor({ state: 'detached' })
  assert.equal(await answer(), 'two')
  assert.equal(await readFile(file, 'utf8'), crlf('two'))
})

test('a text that was applied and rolled back can be corrected, until it is kept', async (t) => {
  const { open, file, answer } = await startEditing(t, writable('one'))
  const [ada, ben] = [await open(), await open()]
  await edit(ben, '\n', '# by ben\n')
  await edit(ada, "'one'", "'two'")
  await apply(ada)
  await ada.getByText('What you have written stays here').waitFor()
  assert.equal(await editorOf(ada).getAttribute('readonly'), '')
  await ben.getByText('Another change is in effect, and waits to be kept').waitFor()
  await ben.getByRole('button', { name: 'Roll back now' }).click()
  await ada.getByText('This change was rolled back').waitFor()
  assert.equal(await editorOf(ada).inputValue(), writable('two'))
  assert.equal(await answer(), 'one')
  await ben.getByText('Another change is in effect').waitFor({ state: 'detached' })
  await edit(ada, "'two'", "'three'")
  await apply(ada)
  // It is settled wherever it is kept.
  await ada.getByRole('navigation').getByRole('link', { name: 'Routes' }).click()
  await ben.getByRole('button', { name: 'Keep it' }).click()
  await ben.getByText('The configuration has changed since you opened this text').waitFor()
  await ada.getByRole('navigation').getByRole('link', { name: 'Configuration' }).click()
  await ada.getByRole('button', { name: 'Edit the configuration' }).waitFor()
  assert.equal(await readFile(file, 'utf8'), writable('three'))
})

test('a change of a comment is written, and another operator does not overwrite it', async (t) => {
  const { open, file, answer } = await startEditing(t, writable('one'))
  const [ada, ben] = [await open(), await open()]
  await edit(ben, "'one'", "'two'")
  await ben.locator('.come').getByText('two').waitFor()
  const commented = `# What it answers.${writable('one')}`
  await edit(ada, '\n', '# What it answers.\n')
  await ada.getByText('It is equivalent to the running configuration.').waitFor()
  await apply(ada)
  await ada.getByRole('button', { name: 'Edit the configuration' }).waitFor()
  assert.equal(await readFile(file, 'utf8'), commented)
  await ben.getByText('change by the admin token').waitFor()
  await ben.getByText('The configuration has changed since you opened this text').waitFor()
  assert.equal(await ben.getByRole('button', { name: 'Apply', exact: true }).count(), 0)
  assert.match(await ben.locator('pre.code').innerText(), /^-routes: .*'one'.*\n\+routes: .*'two'/m)
  assert.deepEqual([await answer(), await readFile(file, 'utf8')], ['one', commented])
})

test('where the file was changed and not reloaded, a change leads to it in the words of the console', async (t) => {
  const { open, file, answer } = await startEditing(t, writable('one'))
  const page = await open()
  await writeFile(file, writable('two'))
  await edit(page, "'one'", "'three'")
  await apply(page)
  const said = await page.getByRole('dialog').getByRole('alert').innerText()
  assert.match(said, /The file has been changed and not reloaded/)
  assert.doesNotMatch(said, /POST|force/)
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Compare with the running configuration' }).click()
  await page.getByRole('button', { name: 'Apply the file' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByText('The configuration has changed since you opened this text').waitFor()
  assert.equal(await answer(), 'two')
})

test('a button that compares keeps the focus, also after its dialog', async (t) => {
  const { open } = await startEditing(t, writable('one'))
  const page = await open()
  await edit(page, "'one'", "'two'")
  await apply(page)
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByText('is in effect and waiting').waitFor({ state: 'detached' })
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement.innerText')
  for (const name of ['Compare with the running configuration', 'Go back to the previous one']) {
    await page.getByRole('button', { name }).focus()
    await page.keyboard.press('Enter')
    if (name.startsWith('Go')) {
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    } else await page.getByText('It is equivalent to the running configuration.').waitFor()
    assert.equal(await focused(), name)
  }
})
