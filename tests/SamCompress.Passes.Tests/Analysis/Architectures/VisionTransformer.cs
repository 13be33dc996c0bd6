using SamCompress.IR;

namespace SamCompress.Passes.Tests.Analysis.Architectures;

/// <summary>The image encoder of SAM and of what is pruned from it: a plain transformer on a map of 64 x 64 tokens, with windows of 14 x 14 in all but some blocks.</summary>
/// <param name="Attended">The width of q, k and v: heads times head size.</param>
/// <param name="Hidden">The width inside the MLP.</param>
internal sealed record VisionTransformer(long Width, int Depth, long Heads, long Attended, long Hidden, IReadOnlyList<int> GlobalBlocks)
{
    private const long Side = 64, Window = 14, Padded = 70;

    public Model Build()
    {
        var g = new LayerGraph();
        Value x = g.Conv(g.Input(1, 3, 1024, 1024), Width, 16, 16, bias: true);
        x = g.Add("Add", [g.Transpose(x, 0, 2, 3, 1), g.Weight(1, Side, Side, Width)]);
        for (int block = 0; block < Depth; block++)
        {
            x = g.Add("Add", [x, Attention(g, g.LayerNorm(x), GlobalBlocks.Contains(block))]);
            x = g.Add("Add", [x, g.Linear(g.Gelu(g.Linear(g.LayerNorm(x), Hidden)), Width)]);
        }

        x = g.ChannelNorm(g.Conv(g.Transpose(x, 0, 3, 1, 2), 256, 1));
        return g.Finish(g.ChannelNorm(g.Conv(x, 256, 3)));
    }

    private Value Attention(LayerGraph g, Value x, bool isGlobal)
    {
        long side = isGlobal ? Side : Window, groups = isGlobal ? 1 : Padded / Window, size = Attended / Heads;
        if (!isGlobal)
            x = g.Reshape(g.Transpose(g.Reshape(g.Resize2D(x, Padded), groups, Window, groups, Window, Width), 0, 2, 1, 3, 4), groups * groups, Window, Window, Width);
        long batch = groups * groups, tokens = side * side;
        Value qkv = g.Transpose(g.Reshape(g.Linear(x, 3 * Attended), batch, tokens, 3, Heads, size), 2, 0, 3, 1, 4);
        Value[] parts = [.. g.Split(qkv, 3, 0).Select(part => g.Reshape(part, batch * Heads, tokens, size))];
        Value logits = g.Reshape(g.Add("MatMul", [parts[0], g.Transpose(parts[1], 0, 2, 1)]), batch * Heads, side, side, side, side);
        Value query = g.Reshape(parts[0], batch * Heads, side, side, size);
        logits = g.Add("Add", [logits, g.Reshape(Position("bhwc,hkc->bhwk"), batch * Heads, side, side, side, 1)]);
        logits = g.Add("Add", [logits, g.Reshape(Position("bhwc,wkc->bhwk"), batch * Heads, side, side, 1, side)]);
        x = g.Add("MatMul", [g.Add("Softmax", [g.Reshape(logits, batch * Heads, tokens, tokens)]), parts[2]]);
        x = g.Linear(g.Reshape(g.Transpose(g.Reshape(x, batch, Heads, tokens, size), 0, 2, 1, 3), batch, side, side, Attended), Width);
        return isGlobal ? x : g.Resize2D(g.Reshape(g.Transpose(g.Reshape(x, groups, groups, Window, Window, Width), 0, 2, 1, 3, 4), 1, Padded, Padded, Width), Side);

        Value Position(string equation) => g.Add("Einsum", [query, g.Weight(side, side, size)], NodeAttribute.Of("equation", equation));
    }
}
