import { memorySkillFiles, type SkillCatalog, SkillsExtension } from '@modelcontextprotocol/server/ext/skills'

const SKILL = `---
name: keeping-notes
description: How to keep notes so that they are found again. Use it before you save a note.
---

# Keeping notes

Give each note a title that says what it is about. See [tags](references/TAGS.md).
`

const TAGS = `# Tags

Use the words that the person uses.
`

/** The skill that the suite reads (SEP-2640, part of no requirement set): one, with a folder below it. */
export const fixtureSkills = (): Promise<SkillCatalog> =>
  SkillsExtension.load(
    memorySkillFiles({ 'keeping-notes/SKILL.md': SKILL, 'keeping-notes/references/TAGS.md': TAGS }),
  )
