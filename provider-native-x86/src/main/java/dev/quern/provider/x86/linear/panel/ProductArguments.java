package dev.quern.provider.x86.linear.panel;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// The arguments of a product of one tile of rows by consecutive panels, of whatever unit:
///
///     0 tile   8 panels   16 y: row 0, the first panel's first output   24 bytes to y's next row
///     32 blocks   40 panels, how many   48 outputs of the last panel, as bits: u32
///     52 1 to add to y, 0 to overwrite it: u32   56 bytes from a panel's begin to its scales, where
///     it has some in its foot   64 where tiles may store integers
///     72 1 where the panels are in a cache, from a tile of rows before, 0 where in memory
///
/// Those of unpacking and of decoding are some of them: 0 where it stores, 8, 32, 40 and 56.
public final class ProductArguments {
  private static final int TILE = 0;
  private static final int PANELS = 8;
  private static final int Y = 16;
  private static final int Y_STRIDE = 24;
  private static final int BLOCKS = 32;
  private static final int COUNT = 40;
  private static final int LAST = 48;
  private static final int ADD = 52;
  private static final int FOOT_SCALES = 56;
  private static final int INTEGERS = 64;
  private static final int CACHED = 72;

  /// Bytes of the block.
  public static final int BYTES = 80;

  private ProductArguments() {}

  /// Sets those of a product that say where its operands are.
  ///
  /// @param tile address of the rows
  /// @param panels address of the first panel
  /// @param y address of row 0's output of the first panel
  public static void setOperands(
      MemorySegment block, long at, long tile, long panels, long y, long yStrideBytes) {
    Arguments.set(block, at + TILE, tile, panels, y, yStrideBytes);
  }

  /// Sets those of a product that say how much it computes.
  ///
  /// @param blocks of a panel
  /// @param count of the panels
  /// @param last outputs of the last panel
  /// @param add whether it adds to y
  public static void setExtent(
      MemorySegment block, long at, int blocks, int count, int last, boolean add) {
    int mask = -1 >>> Integer.SIZE - last;
    Arguments.set(block, at + BLOCKS, blocks, count, Arguments.pair(mask, add ? 1 : 0));
  }

  /// Sets those of unpacking and of decoding.
  ///
  /// @param to where it stores
  public static void set(
      MemorySegment block, long at, long to, long panels, int blocks, int count) {
    block.set(JAVA_LONG, at + TILE, to);
    block.set(JAVA_LONG, at + PANELS, panels);
    block.set(JAVA_LONG, at + BLOCKS, blocks);
    block.set(JAVA_LONG, at + COUNT, count);
  }

  /// One more, for products and decoders that need it.
  public static void setFootScales(MemorySegment block, long at, long bytes) {
    block.set(JAVA_LONG, at + FOOT_SCALES, bytes);
  }

  /// One more, for products by tiles.
  public static void setIntegers(MemorySegment block, long at, long integers) {
    block.set(JAVA_LONG, at + INTEGERS, integers);
  }

  /// One more, for products of tall tiles.
  public static void setCached(MemorySegment block, long at, boolean cached) {
    block.set(JAVA_LONG, at + CACHED, cached ? 1 : 0);
  }

  public static Mem footScales(Gp block) {
    return ptr(block, FOOT_SCALES);
  }

  public static Mem integers(Gp block) {
    return ptr(block, INTEGERS);
  }

  static Mem cached(Gp block) {
    return ptr(block, CACHED);
  }

  public static Mem tile(Gp block) {
    return ptr(block, TILE);
  }

  public static Mem panels(Gp block) {
    return ptr(block, PANELS);
  }

  public static Mem y(Gp block) {
    return ptr(block, Y);
  }

  public static Mem yStride(Gp block) {
    return ptr(block, Y_STRIDE);
  }

  public static Mem blocks(Gp block) {
    return ptr(block, BLOCKS);
  }

  public static Mem count(Gp block) {
    return ptr(block, COUNT);
  }

  public static Mem last(Gp block) {
    return ptr(block, LAST);
  }

  public static Mem add(Gp block) {
    return ptr(block, ADD);
  }
}
