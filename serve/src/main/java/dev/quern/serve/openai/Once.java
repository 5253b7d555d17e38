package dev.quern.serve.openai;

/// Does something the first time that it is asked to; who asks meanwhile waits.
final class Once implements Runnable {
  private final Runnable action;
  private boolean done; // guarded by this

  Once(Runnable action) {
    this.action = action;
  }

  @Override
  public synchronized void run() {
    if (!done) {
      done = true;
      action.run();
    }
  }
}
