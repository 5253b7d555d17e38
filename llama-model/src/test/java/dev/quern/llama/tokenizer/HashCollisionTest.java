package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Vocabularies that were made to collide, under hashes that their author knows. 65,000 such tokens
/// took five seconds to load, and four times that for twice as many.
class HashCollisionTest {
  private static final int MULTIPLIER = 0x9E3779B1; // of the tables' former hash
  private static final int MANY = 2000;
  private static final int FEW_STEPS = 200; // far above chance, far below MANY

  /// Texts of four characters with one state of the former hash at their end.
  @Test
  void textsOfOneFormerHash() {
    int inverse = MULTIPLIER;
    for (int i = 0; i < 5; i++) {
      inverse *= 2 - MULTIPLIER * inverse; // Newton, modulo 2^32
    }
    int before = 12345 * inverse; // state before the last multiplication
    Set<String> texts = new LinkedHashSet<>();
    for (char first = 'A'; texts.size() < MANY; first++) {
      int two = ((first * MULTIPLIER) ^ 'B') * MULTIPLIER;
      for (int third = 'a'; third < 0xd800; third++) {
        int three = (two ^ third) * MULTIPLIER;
        if (three >>> 16 == before >>> 16) {
          texts.add("" + first + 'B' + (char) third + (char) (three ^ before));
        }
      }
    }
    assertEquals(1, texts.stream().map(HashCollisionTest::formerHash).distinct().count());
    TokenTable table = new TokenTable(List.copyOf(texts));
    assertTrue(table.longestProbe() < FEW_STEPS, table.longestProbe() + " steps");
  }

  /// And texts that String.hashCode() can't tell apart.
  @Test
  void textsOfOneHashCode() {
    List<String> texts = new ArrayList<>(List.of(""));
    while (texts.size() < MANY) {
      List<String> longer = new ArrayList<>();
      for (String text : texts) {
        longer.add(text + "Aa");
        longer.add(text + "BB");
      }
      texts = longer;
    }
    assertEquals(1, texts.stream().map(String::hashCode).distinct().count());
    TokenTable table = new TokenTable(texts);
    assertTrue(table.longestProbe() < FEW_STEPS, table.longestProbe() + " steps");
  }

  /// Pairs of which the former hash put all into the same few slots.
  @Test
  void mergesOfOneFormerSlot() {
    TestDefinition d = TestDefinition.bytePair();
    int slots = Integer.highestOneBit(600) << 2;
    for (int left = 0; left < 256 && d.merges.size() < 600; left++) {
      for (int right = 0; right < 256 && d.merges.size() < 600; right++) {
        long pair = (long) left << 32 | right;
        if (((int) (pair * 0x9E3779B97F4A7C15L >>> 32) & slots - 1) < slots / 64) {
          d.merges.add(d.tokens.get(left) + " " + d.tokens.get(right));
          d.add(d.tokens.get(left) + d.tokens.get(right), 1);
        }
      }
    }
    assertEquals(600, d.merges.size());
    MergeTable table = new MergeTable(d.merges, new Vocabulary(d.definition()));
    assertTrue(table.longestProbe() < FEW_STEPS, table.longestProbe() + " steps");
  }

  private static int formerHash(String text) {
    int hash = 0;
    for (char c : text.toCharArray()) {
      hash = (hash ^ c) * MULTIPLIER;
    }
    return hash ^ hash >>> 15;
  }
}
