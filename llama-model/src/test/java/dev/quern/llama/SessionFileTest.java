package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.KvFormat;
import dev.quern.files.OutputException;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionFileTest {
  private static final GenerationOptions DRAWN =
      GenerationOptions.of(40, SamplingOptions.standard(9)).ignoringEnd();

  @TempDir static Path folder;

  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(InvariantScalar.options());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /// Into a new session, one that has another text, and one whose caches have not grown yet.
  @ParameterizedTest
  @ValueSource(ints = {0, 3, 400})
  void textGoesOnAsItWouldHave(int tokens) throws IOException {
    Path file = folder.resolve("goes-on-" + tokens);
    int[] prompt = new Random(4).ints(tokens, 3, 500).toArray();
    try (LlamaSession session = model.newSession()) {
      if (tokens > 0) {
        session.generateTokens(prompt, GenerationOptions.greedy(5).ignoringEnd(), _ -> true);
      }
      session.save(file);
      int[] next = {7, 8};
      Generation expected = session.generateTokens(next, DRAWN, _ -> true);
      for (int other : new int[] {0, 50}) {
        try (LlamaSession again = model.newSession()) {
          if (other > 0) {
            int[] text = new Random(5).ints(other, 3, 500).toArray();
            again.generateTokens(text, GenerationOptions.greedy(3).ignoringEnd(), _ -> true);
          }
          again.restore(file);
          assertEquals(tokens == 0 ? 0 : tokens + 4, again.position());
          assertEquals(expected.tokens(), again.generateTokens(next, DRAWN, _ -> true).tokens());
          assertArrayEquals(session.history(), again.history());
        }
      }
    }
  }

  @Test
  void whatIsNotThisModelsIsRefusedAndTheSessionStays() throws IOException {
    Path good = saved("good");
    byte[] bytes = Files.readAllBytes(good);
    try (LlamaModel f32 = LlamaModel.loadDemo(InvariantScalar.options().withKv(KvFormat.F32));
        LlamaModel small = LlamaModel.loadDemo(InvariantScalar.options().withContext(8));
        LlamaModel other =
            LlamaModel.load(
                new SyntheticModel().write(folder.resolve("m.gguf")), InvariantScalar.options())) {
      assertEquals(
          good + ": keys and values as 'F16', expected F32", refusal(f32.newSession(), good));
      assertEquals(
          good + ": 21 and 1 tokens, expected at most 8 together, the context",
          refusal(small.newSession(), good));
      String refused = refusal(other.newSession(), good);
      assertTrue(refused.contains("a session of another model, expected one of "), refused);
    }
    assertRefused(Arrays.copyOf(bytes, 30), "30 bytes, expected at least");
    assertRefused(Arrays.copyOf(bytes, bytes.length - 1), "it is cut, or not of this model");
    assertRefused(Arrays.copyOf(bytes, bytes.length + 1), "it is cut, or not of this model");
    assertRefused(changed(bytes, 0, 'X'), "other bytes at its start");
    assertRefused(changed(bytes, 8, 2), "version 2, expected version 1");
    assertRefused(changed(bytes, bytes.length / 2, ~bytes[bytes.length / 2]), "checksum");
    assertRefused(changed(bytes, 63, 0x80), "-2147483627 and 1 tokens, expected at most 512");
    assertRefused(changed(bytes, 67, 0x7f), "tokens, expected at most 512");
    byte[] token = changed(bytes, 70, 1); // 65,536 more; the checksum is right
    int crcAt = token.length - 4;
    CRC32C crc = new CRC32C();
    crc.update(token, 0, crcAt);
    ByteBuffer.wrap(token).order(ByteOrder.LITTLE_ENDIAN).putInt(crcAt, (int) crc.getValue());
    assertRefused(token, "expected 0 to 511");
  }

  /// Every byte of the head, changed at random.
  @Test
  void noHeadThatWasChangedIsTaken() throws IOException {
    byte[] bytes = Files.readAllBytes(saved("head"));
    Random random = new Random(6);
    try (LlamaSession session = model.newSession()) {
      for (int at = 0; at < 160; at++) {
        byte[] broken = changed(bytes, at, bytes[at] ^ (1 + random.nextInt(255)));
        Path file = Files.write(folder.resolve("broken"), broken);
        assertThrows(LlamaException.class, () -> session.restore(file), "byte " + at);
      }
      assertEquals(0, session.position());
    }
  }

  @Test
  void whatCannotBeReadOrWrittenSaysSo() throws IOException {
    try (LlamaSession session = model.newSession()) {
      assertThrows(NoSuchFileException.class, () -> session.restore(folder.resolve("none")));
      assertThrows(OutputException.class, () -> session.save(folder));
      session.generateTokens(
          new int[] {3},
          GenerationOptions.greedy(1).ignoringEnd(),
          _ -> {
            assertThrows(IllegalStateException.class, () -> session.save(folder.resolve("inside")));
            return true;
          });
      assertFalse(Files.exists(folder.resolve("inside")));
    }
  }

  private static Path saved(String name) throws IOException {
    Path file = folder.resolve(name);
    try (LlamaSession session = model.newSession()) {
      int[] prompt = new Random(8).ints(20, 3, 500).toArray();
      session.generateTokens(prompt, GenerationOptions.greedy(2).ignoringEnd(), _ -> true);
      session.save(file);
    }
    return file;
  }

  private static byte[] changed(byte[] bytes, int at, int value) {
    byte[] changed = bytes.clone();
    changed[at] = (byte) value;
    return changed;
  }

  private static void assertRefused(byte[] bytes, String part) throws IOException {
    Path file = Files.write(folder.resolve("refused"), bytes);
    try (LlamaSession session = model.newSession()) {
      Generation before = session.generateTokens(new int[] {5, 6, 7}, DRAWN, _ -> true);
      session.rewind(3);
      String refused = assertThrows(LlamaException.class, () -> session.restore(file)).getMessage();
      assertTrue(refused.contains(part), refused);
      session.rewind(2);
      assertEquals(
          before.tokens(), session.generateTokens(new int[] {7}, DRAWN, _ -> true).tokens());
    }
  }

  private static String refusal(LlamaSession session, Path file) {
    try (session) {
      return assertThrows(LlamaException.class, () -> session.restore(file)).getMessage();
    }
  }
}
