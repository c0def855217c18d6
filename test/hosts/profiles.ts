import type { HostProfile } from '#test/hosts/profile'
import { chatgpt } from '#test/hosts/profiles/chatgpt'
import { chatgptConnector } from '#test/hosts/profiles/chatgpt-connector'
import { claudeCode } from '#test/hosts/profiles/claude-code'
import { claudeHosted } from '#test/hosts/profiles/claude-hosted'
import { codex } from '#test/hosts/profiles/codex'
import { copilotCli } from '#test/hosts/profiles/copilot-cli'
import { copilotStudio } from '#test/hosts/profiles/copilot-studio'
import { cursor } from '#test/hosts/profiles/cursor'
import { cursorAgents } from '#test/hosts/profiles/cursor-agents'
import { cursorScheme } from '#test/hosts/profiles/cursor-scheme'
import { geminiCli } from '#test/hosts/profiles/gemini-cli'
import { goose } from '#test/hosts/profiles/goose'
import { inspector } from '#test/hosts/profiles/inspector'
import { mcpRemote } from '#test/hosts/profiles/mcp-remote'
import { opencode } from '#test/hosts/profiles/opencode'
import { vscode } from '#test/hosts/profiles/vscode'
import { zed } from '#test/hosts/profiles/zed'

/** Every host that is replayed, in the order of the report. */
export const profiles: readonly HostProfile[] = [
  claudeHosted,
  claudeCode,
  chatgpt,
  chatgptConnector,
  codex,
  cursor,
  cursorAgents,
  cursorScheme,
  vscode,
  copilotCli,
  geminiCli,
  goose,
  inspector,
  mcpRemote,
  zed,
  opencode,
  copilotStudio,
]
