package dev.quern.provider.x86.linear.panel;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import java.util.function.IntConsumer;

/// The loops that the products of all units have in common; a unit says what a block is, and how a
/// panel's sums are stored. In Java it would be
///
///     for (panel : panels) {          // count of them, one behind the other
///       sums[rows] = 0;
///       for (block : panel) {         // and of the tile of rows
///         sums[r] += scales * d[r] * (term[r] + Σ words * q[r]);
///       }
///       if (there are feet) {         // what int8 rows with zero points need, say:
///         sums[r] = (sums[r] - z[r] * the panel's sums) * s[r];
///       }
///       y[r][outputs] = sums[r];      // or +=
///     }
///
/// Registers: [#TILE] and [#PANEL] are at the current block, [#HEAD] at its head; y in r9, its stride
/// in r10, panels left in r8, blocks left in rcx, and in rax those of the head.
///
/// @param outputs of a panel
/// @param rows of the tile
/// @param headBytes of a panel's heads; 0 where there are none
/// @param blocksPerHead how many blocks share a head; 1 where there are none
/// @param blockBytes of a panel's blocks
/// @param tileBlockBytes of the tile's blocks
/// @param hasFoot whether something comes behind the last block, of the tile at least
/// @param footBytes of a panel's foot; 0 where there is none
public record PanelLoop(
    int outputs,
    int rows,
    int headBytes,
    int blocksPerHead,
    int blockBytes,
    int tileBlockBytes,
    boolean hasFoot,
    int footBytes) {
  /// At the current block of the tile of rows, behind the last one at its foot; where blocks are
  /// stored, where they go.
  public static final Gp TILE = RSI;

  /// At the current block of the panel, then at its foot.
  public static final Gp PANEL = RDX;

  /// At the current block's head, where there are heads.
  public static final Gp HEAD = R11;

  /// Of a panel that is read for few rows, as many blocks ahead: memory is what it waits for.
  private static final int PREFETCH_BLOCKS = 8;

  /// But no more bytes than these, if a block is not larger: BF16 panels of 2 KiB a block, 16 KiB
  /// ahead, gave 31 GB/s on two threads of a Zen 4, and 45 so.
  private static final int PREFETCH_BYTES = 1 << 12;

  private static final int LINE = 64;

  /// Whether code asks for weights before it needs them.
  public enum Prefetch {
    /// They come from memory, for few rows.
    ALWAYS,
    /// They come from memory for the first tile of rows, and for the others from a cache, where
    /// each more load would cost: the arguments say which.
    UNLESS_CACHED,
    /// They were only just written.
    NEVER;

    /// For a tile of so many rows, of at most so many.
    public static Prefetch of(int rows, int maxRows) {
      return rows < maxRows ? ALWAYS : UNLESS_CACHED;
    }
  }

  /// What a unit does.
  public interface Unit {
    /// The registers of sums become zero.
    void begin();

    /// A block at TILE and PANEL: adds to the sums.
    void block();

    /// Where there are feet: TILE and PANEL are at them.
    void foot();

    /// The outputs of a panel that y has, as bits in the register: fewer in the last one.
    void mask(Gp bits);

    /// A row's sums become theirs and y's, of the outputs that it has.
    void add(int row, Mem y);

    /// Stores a row's sums, of the outputs that y has.
    void store(int row, Mem y);

    /// Behind the last panel.
    default void end() {}
  }

  /// Without rows: blocks are stored.
  ///
  /// @param storedBytes of a block
  public static PanelLoop storing(PanelLayout layout, int storedBytes) {
    return new PanelLoop(
        layout.outputs(),
        0,
        layout.headBytes(),
        layout.blocksPerHead(),
        layout.blockBytes(),
        storedBytes,
        layout.wholeRows(),
        layout.footBytes());
  }

  /// Emits all but constants.
  ///
  /// @param prefetch where weights come from
  public void emit(Assembler a, Unit unit, Prefetch prefetch) {
    a.emit(Op.MOV, PANEL, ProductArguments.panels(RDI));
    a.emit(Op.MOV, R9, ProductArguments.y(RDI));
    a.emit(Op.MOV, R10, ProductArguments.yStride(RDI));
    a.emit(Op.MOV, R8, ProductArguments.count(RDI));
    a.loop(
        R8,
        1,
        () -> {
          a.emit(Op.MOV, TILE, ProductArguments.tile(RDI));
          blocks(a, unit::begin, unit::block, prefetch);
          if (hasFoot) {
            unit.foot();
          }
          if (footBytes > 0) {
            a.emit(Op.ADD, PANEL, footBytes);
          }
          store(a, unit);
          a.emit(Op.ADD, R9, Float.BYTES * outputs);
        });
    unit.end();
    a.end();
  }

  /// Emits the same loops without sums and y, all but constants: what is done with a block, and
  /// with a foot, stores at TILE.
  ///
  /// @param storedFootBytes that are stored of a foot
  public void emitUnpacking(Assembler a, Runnable block, Runnable foot, int storedFootBytes) {
    a.emit(Op.MOV, PANEL, ProductArguments.panels(RDI));
    a.emit(Op.MOV, TILE, ProductArguments.tile(RDI));
    a.emit(Op.MOV, R8, ProductArguments.count(RDI));
    a.loop(
        R8,
        1,
        () -> {
          blocks(a, () -> {}, block, Prefetch.ALWAYS);
          if (hasFoot) {
            foot.run();
            a.emit(Op.ADD, PANEL, footBytes);
            a.emit(Op.ADD, TILE, storedFootBytes);
          }
        });
    a.end();
  }

  /// Emits a loop over the blocks of a single panel, and no sums: what is done with a block stores
  /// at TILE.
  public void emitBlocks(Assembler a, Runnable begin, Runnable block) {
    a.emit(Op.MOV, PANEL, ProductArguments.panels(RDI));
    a.emit(Op.MOV, TILE, ProductArguments.tile(RDI));
    blocks(a, begin, block, Prefetch.ALWAYS);
    a.end();
  }

  /// All blocks of a panel.
  private void blocks(Assembler a, Runnable begin, Runnable block, Prefetch prefetch) {
    Runnable whole =
        () -> {
          switch (prefetch) {
            case ALWAYS -> prefetch(a);
            case UNLESS_CACHED -> {
              Label cached = a.label();
              a.emit(Op.CMP, ProductArguments.cached(RDI), 0);
              a.emit(Op.JNE, cached);
              prefetch(a);
              a.place(cached);
            }
            case NEVER -> {}
          }
          block.run();
          a.emit(Op.ADD, PANEL, blockBytes);
          a.emit(Op.ADD, TILE, tileBlockBytes);
        };
    a.emit(Op.MOV, RCX, ProductArguments.blocks(RDI));
    begin.run();
    a.align(32);
    a.loop(RCX, blocksPerHead, headBytes > 0 ? () -> head(a, whole) : whole);
  }

  private void head(Assembler a, Runnable block) {
    a.emit(Op.MOV, HEAD, PANEL);
    a.emit(Op.ADD, PANEL, headBytes);
    if (blocksPerHead == 1) {
      block.run();
    } else {
      a.emit(Op.MOV, RAX.r32(), blocksPerHead);
      a.loop(RAX, 1, block);
    }
  }

  private void prefetch(Assembler a) {
    int ahead = Math.clamp(PREFETCH_BYTES / blockBytes, 1, PREFETCH_BLOCKS) * blockBytes;
    for (int at = 0; at < blockBytes; at += LINE) {
      a.emit(Op.PREFETCHT0, ptr(PANEL, ahead + at));
    }
  }

  private void store(Assembler a, Unit unit) {
    Label whole = a.label();
    a.emit(Op.MOV, RAX.r32(), -1);
    a.emit(Op.CMP, R8, 1);
    a.emit(Op.JNE, whole);
    a.emit(Op.MOV, RAX.r32(), ProductArguments.last(RDI));
    a.place(whole);
    unit.mask(RAX.r32());
    a.emit(Op.MOV, RCX.r32(), ProductArguments.add(RDI));
    a.ifPositive(RCX, () -> eachRow(a, row -> unit.add(row, ptr(RAX))));
    eachRow(a, row -> unit.store(row, ptr(RAX)));
  }

  /// With rax at each row of y.
  private void eachRow(Assembler a, IntConsumer body) {
    a.emit(Op.MOV, RAX, R9);
    for (int row = 0; row < rows; row++) {
      body.accept(row);
      if (row < rows - 1) {
        a.emit(Op.ADD, RAX, R10);
      }
    }
  }
}
