package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.QueueFullException;
import dev.quern.llama.sampling.SamplingOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// 200 clients on 50 threads, that wait, cancel, have no time, throw in their listeners, and find
/// the queue full. `-Dquern.engine.stress.seconds=600` makes it ten minutes; the seed is printed,
/// and `-Dquern.engine.stress.seed` sets it.
class EngineStressTest {
  private static final int THREADS = 50;
  private static final int CLIENTS_OF_A_THREAD = 4;
  private static final int SECONDS = Integer.getInteger("quern.engine.stress.seconds", 5);
  private static final long SEED =
      Long.getLong("quern.engine.stress.seed", System.nanoTime() & 0xffffff);

  /// @param request what is asked for
  /// @param tokens what it gets alone
  private record Case(EngineRequest request, List<Integer> tokens, String text) {}

  private static final class Mistake extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  @Test
  @Timeout(900)
  void nothingHangsOrMixesTextsUp() throws Exception {
    System.out.printf(
        Locale.ROOT, "[quern] engine stress: %d s, -Dquern.engine.stress.seed=%d%n", SECONDS, SEED);
    try (LlamaModel model = LlamaModel.loadDemo(InvariantScalar.options())) {
      List<Case> cases = cases(model);
      EngineOptions few =
          EngineOptions.defaults()
              .withSequences(5)
              .withPromptRows(9)
              .withQueue(150)
              .withPrefixes(3);
      Engine engine = model.newEngine(few);
      AtomicLong[] outcomes = new AtomicLong[5];
      for (int i = 0; i < outcomes.length; i++) {
        outcomes[i] = new AtomicLong();
      }
      long end = System.nanoTime() + SECONDS * 1_000_000_000L;
      try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
        List<Future<Void>> running = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
          Random random = new Random(SEED + t);
          Callable<Void> thread =
              () -> {
                do {
                  List<Client> clients = new ArrayList<>();
                  for (int c = 0; c < CLIENTS_OF_A_THREAD; c++) {
                    Client.asks(engine, cases, random, outcomes).ifPresent(clients::add);
                  }
                  for (Client client : clients) {
                    outcomes[client.hears()].incrementAndGet();
                  }
                } while (System.nanoTime() < end);
                return null;
              };
          running.add(threads.submit(thread));
        }
        for (Future<Void> thread : running) {
          thread.get();
        }
      }
      EngineMetrics metrics = engine.metrics();
      System.out.printf(
          Locale.ROOT,
          "[quern] engine stress: %s whole, %s cancelled, %s late, %s mistakes, %s rejected; %s%n",
          outcomes[0],
          outcomes[1],
          outcomes[2],
          outcomes[3],
          outcomes[4],
          metrics);
      assertTrue(outcomes[0].get() > 0);
      assertEquals(outcomes[4].get(), metrics.rejected());
      engine.close();
      assertEquals(0, engine.metrics().running() + engine.metrics().waiting());
    }
  }

  /// A request, and what is done to it.
  ///
  /// @param what 0: nothing; 1: cancelled; 2: a deadline; 3: the listener throws
  private record Client(Case asked, int what, Completion completion, StringBuffer text) {
    static Optional<Client> asks(
        Engine engine, List<Case> cases, Random random, AtomicLong[] outcomes) {
      Case c = cases.get(random.nextInt(cases.size()));
      int what = random.nextInt(4);
      int patience = random.nextInt(10);
      EngineRequest request =
          what == 2
              ? c.request.withDeadline(Duration.ofNanos(random.nextInt(200_000_000)))
              : c.request;
      StringBuffer text = new StringBuffer();
      int[] heard = {0};
      try {
        Completion completion =
            engine.submit(
                request,
                piece -> {
                  text.append(piece);
                  if (what == 3 && heard[0]++ == patience) {
                    throw new Mistake();
                  }
                });
        return Optional.of(new Client(c, what, completion, text));
      } catch (QueueFullException e) {
        outcomes[4].incrementAndGet();
        LockSupport.parkNanos(random.nextInt(20_000_000));
        return Optional.empty();
      }
    }

    /// @return how it ended
    int hears() throws InterruptedException {
      if (what == 1) {
        LockSupport.parkNanos(text.hashCode() & 0x3ffffff);
        completion.cancel();
      }
      try {
        Generation answer = completion.await();
        boolean whole =
            answer.stop() != StopReason.CANCELLED && answer.stop() != StopReason.DEADLINE;
        int tokens = answer.tokens().size();
        assertEquals(asked.tokens.subList(0, tokens), answer.tokens());
        assertTrue(asked.text.startsWith(text.toString()), () -> text + " is not of " + asked.text);
        if (whole) {
          assertEquals(asked.tokens, answer.tokens());
          assertEquals(asked.text, text.toString());
        } else {
          assertTrue(what == 1 || what == 2, () -> "cancelled, and nobody did: " + what);
        }
        return whole ? 0 : what;
      } catch (Mistake e) {
        assertEquals(3, what);
        return 3;
      }
    }
  }

  /// Prompts of a few beginnings, so that some are known.
  private static List<Case> cases(LlamaModel model) {
    Random random = new Random(SEED);
    int[][] beginnings = new int[3][];
    for (int i = 0; i < beginnings.length; i++) {
      beginnings[i] = random.ints(20 + 15 * i, 3, 500).toArray();
    }
    List<Case> cases = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      int[] rest = random.ints(1 + random.nextInt(30), 3, 500).toArray();
      int[] prompt =
          random.nextBoolean() ? SessionTokens.concat(beginnings[random.nextInt(3)], rest) : rest;
      GenerationOptions options =
          GenerationOptions.of(
                  1 + random.nextInt(40),
                  random.nextBoolean()
                      ? SamplingOptions.GREEDY
                      : SamplingOptions.standard(random.nextInt()))
              .ignoringEnd();
      try (LlamaSession session = model.newSession()) {
        StringBuilder text = new StringBuilder();
        Generation g = session.generate(prompt, options, text::append);
        cases.add(new Case(EngineRequest.of(prompt, options), g.tokens(), text.toString()));
      }
    }
    return cases;
  }
}
