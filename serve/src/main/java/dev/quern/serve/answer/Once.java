package dev.quern.serve.answer;

/// Does something the first time that it is asked to; who asks meanwhile waits.
public final class Once implements Runnable {
  private final Runnable action;
  private boolean done; // guarded by this

  public Once(Runnable action) {
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
