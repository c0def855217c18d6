import type { Result } from '#lib/core/result'
import type { Admitted } from '#lib/mcp/admitted'
import type { InputResponses } from '#lib/mcp/tasks/answering'
import type { NewTask } from '#lib/mcp/tasks/new-task'
import type { TaskRecord } from '#lib/mcp/tasks/record'
import type { Asking, NoTask, Task, Tasks } from '#lib/mcp/tasks/tasks'

/** The tasks of one caller, as one request sees them. */
export interface CallerTasks {
  create(task: NewTask): Promise<Result<Task, NoTask>>
  get(taskId: string): Promise<TaskRecord | undefined>
  update(taskId: string, responses: InputResponses): Promise<TaskRecord | undefined>
  cancel(taskId: string): Promise<TaskRecord | undefined>
}

/** Binds the tasks to who was admitted. */
export function callerTasks(
  tasks: Tasks,
  admitted: Pick<Admitted, 'caller' | 'requestId' | 'authority' | 'afterResponse'>,
): CallerTasks {
  const asking: Asking = admitted
  return {
    create: (task) => tasks.create(asking, task),
    get: (taskId) => tasks.get(asking, taskId),
    update: (taskId, responses) => tasks.update(asking, taskId, responses),
    cancel: (taskId) => tasks.cancel(asking, taskId),
  }
}
