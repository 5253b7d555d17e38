package dev.quern.data;

/// The calling thread alone; stateless.
enum SequentialWorkers implements Workers {
  INSTANCE;

  @Override
  public int parallelism() {
    return 1;
  }

  @Override
  public void run(int tasks, Task body) {
    if (tasks < 0) {
      throw new IllegalArgumentException("tasks=" + tasks + ", expected >= 0");
    }
    for (int task = 0; task < tasks; task++) {
      body.run(task, 0);
    }
  }
}
