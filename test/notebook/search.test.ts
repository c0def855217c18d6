import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fold, snippet, wordsOf } from '#lib/notebook/words'
import { backends, claude, type Shared } from '#test/notebook/instances'

describe('search', () => {
  let shared: Shared
  const notes = [
    { title: 'Boiler maintenance', text: 'Call the plumber each autumn.', tags: ['home'] },
    { title: 'Shopping', text: 'Valve for the boiler, and bread.', tags: ['errands'] },
    { title: 'Plumber', text: 'Phone 555-0100, comes on Mondays.', tags: ['contacts'] },
    { title: 'Crème brûlée', text: 'Six egg yolks, cream, vanilla.', tags: ['recipes'] },
    { title: 'Tokyo trip', text: '東京タワーと浅草を見る', tags: ['travel'] },
    { title: 'Boilerplate', text: 'Template of the contract.', tags: ['work'] },
    { title: 'Release', text: 'Ship version twelve on Friday', tags: ['work', 'gatehouse'] },
  ]
  beforeAll(async () => {
    shared = await backends[0]!.open()
    await shared.instance().notebook.importMany(notes, { client: claude })
  })
  afterAll(() => shared.stop())

  it.each([
    {
      query: 'boiler',
      titles: ['Boiler maintenance', 'Shopping', 'Boilerplate'],
      why: 'title over text, word over beginning',
    },
    { query: 'plumber', titles: ['Plumber', 'Boiler maintenance'], why: 'a match in the title counts more' },
    { query: 'boil', titles: ['Boilerplate', 'Boiler maintenance', 'Shopping'], why: 'beginnings of words' },
    { query: 'plumbre', titles: ['Plumber', 'Boiler maintenance'], why: 'a typing error' },
    { query: 'boiler valve', titles: ['Shopping'], why: 'every word' },
    {
      query: 'boiler zeppelin',
      titles: ['Boiler maintenance', 'Shopping', 'Boilerplate'],
      why: 'some words when none has all',
    },
    { query: 'creme BRULEE', titles: ['Crème brûlée'], why: 'accents and case' },
    { query: '浅草', titles: ['Tokyo trip'], why: 'words written without spaces' },
    { query: 'gatehouse', titles: ['Release'], why: 'tags' },
    { query: 'zeppelin', titles: [], why: 'nothing' },
  ])('finds $titles for "$query": $why', async ({ query, titles }) => {
    const found = await shared.instance().notebook.search(query)
    const seen = found.ok ? found.value.hits.map(({ note }) => note.title) : []
    expect(seen.slice(0, 1)).toEqual(titles.slice(0, 1))
    expect([...seen].sort()).toEqual([...titles].sort())
  })

  it('narrows to a tag, however it is written', async () => {
    const found = await shared.instance().notebook.search('boiler', { tag: '#Errands' })
    expect(found.ok && found.value.hits.map(({ note }) => note.title)).toEqual(['Shopping'])
  })
})

it.each([
  { text: 'short text', words: ['text'], piece: 'short text' },
  { text: `${'a '.repeat(300)}needle ${'b '.repeat(300)}`, words: ['needle'], piece: 'needle' },
  { text: `${'é '.repeat(300)}Nädel ${'b '.repeat(300)}`, words: ['nadel'], piece: 'Nädel' },
  { text: `haystacks ${'x '.repeat(300)} stack here`, words: ['stack'], piece: 'stack here' },
  { text: '漢'.repeat(1000), words: ['字'], piece: '漢' },
])('a snippet shows $piece', ({ text, words, piece }) => {
  const shown = snippet(text, words)
  expect(shown).toContain(piece)
  expect(shown.length).toBeLessThanOrEqual(202)
})

it.each(['Straße İstanbul', 'Ångström', '한국어 각', '😀 Größe', 'ﬁ İ ǅ'])(
  'folding %s keeps its length',
  (text) => {
    expect(fold(text)).toHaveLength(text.length)
  },
)

it.each([
  { text: 'Don’t panic, 42!', words: ['don', 't', 'panic', '42'] },
  { text: '한국 각', words: ['한국', '각'] },
  { text: '東京へgo', words: ['go', '東京', '京へ'] },
  { text: '京', words: ['京'] },
  { text: ' ?! ', words: [] },
])('the words of $text are $words', ({ text, words }) => {
  expect(wordsOf(text)).toEqual(words)
})
