using SamCompress.IR;

namespace SamCompress.Passes.Attention;

/// <summary>An attention in a few words, whatever form it has.</summary>
/// <param name="Name">Of the node that makes the weights, or the whole.</param>
/// <param name="Number">What <see cref="AttentionSelection"/> calls it; null for what cannot be rewritten.</param>
/// <param name="Form"><c>softmax</c>, <c>products</c> (fused), <c>MultiHeadAttention</c>, <c>blocked</c> or <c>linear</c>.</param>
/// <param name="Heads">For fused products those of all groups.</param>
/// <param name="Groups">Windows, phases or segments; null when not known.</param>
/// <param name="Queries">Of a group; null when not fixed.</param>
/// <param name="Keys">Of a group; null when not fixed.</param>
/// <param name="Position">What is added to the logits for the places of query and key.</param>
/// <param name="Layers">The layers that make query, key and value, and the projection behind; empty when not known.</param>
public sealed record AttentionSummary(
    string Name,
    int? Number,
    string Form,
    int Heads,
    int HeadSize,
    long? Groups,
    long? Queries,
    long? Keys,
    double? Scale,
    string Position,
    IReadOnlyList<string> Layers);

/// <summary>A part of an attention that is not understood.</summary>
/// <param name="Softmax">Its node, in words.</param>
/// <param name="Part">See <see cref="AttentionMiss"/>.</param>
public sealed record AttentionGap(string Softmax, string Part, string Reason);

/// <summary>All attentions of a model in graph order, and why others are not understood.</summary>
/// <remarks>Reads a cleaned graph; forms that <see cref="FuseAttention"/> and <see cref="LinearizeAttention"/> write, and EfficientViT's, are told by their operators.</remarks>
public sealed record AttentionSurvey(IReadOnlyList<AttentionSummary> Attentions, IReadOnlyList<AttentionGap> Misses)
{
    public static AttentionSurvey Of(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        SelfAttentionView self = SelfAttentionReader.Read(model);
        Dictionary<Node, int> numbers = self.Attentions.Select((a, i) => (a.Softmax, i)).ToDictionary(p => p.Softmax, p => p.i);
        Dictionary<Node, AttentionBlock> blocks = self.Blocks.ToDictionary(b => b.Softmax);
        var found = new List<AttentionSummary>();
        foreach (Node node in model.Graph.Nodes)
        {
            if (numbers.TryGetValue(node, out int number))
                found.Add(Of(self.Attentions[number], number));
            else if (blocks.GetValueOrDefault(node) is { QueryKey: not null } block)
                found.Add(Of(block));
            else if (OfProducts(node) is { } products)
                found.Add(products);
            else if (blocks.TryGetValue(node, out AttentionBlock? half))
                found.Add(Of(half));
            else if (node.Is("MultiHeadAttention", OperatorDomain.Microsoft))
                found.Add(OfFused(node));
            else if (node.Is("Scan") && node.Subgraphs.Any(g => g.Nodes.Any(n => n.Is("Softmax"))))
                found.Add(OfBlocked(node));
            else if (LinearProducts(node) is { } linear)
                found.Add(OfLinear(node, linear.Query, linear.Sums));
        }

        HashSet<string> read = [.. found.Where(a => a.Form == "products").Select(a => a.Name)];
        return new AttentionSurvey(found, [.. self.Misses.Where(m => m.Part != AttentionMiss.SelfAttention && !read.Contains(NameOf(m.Softmax))).Select(m => new AttentionGap(m.Softmax.ToString(), m.Part, m.Reason))]);
    }

    private static AttentionSummary Of(SelfAttention a, int number) => new(
        a.Name, number, "softmax", a.Heads, a.HeadSize, a.Order.GroupCount, a.Order.TokenCount, a.Order.TokenCount, a.Scale, a.Position is NoPosition ? "none" : a.Position.ToString()!, [a.Layer.Name, a.Projection.Name]);

    /// <summary>Between different tokens, as in a mask decoder.</summary>
    private static AttentionSummary Of(AttentionBlock block)
    {
        AttentionOperand? query = block.QueryKey?.Query, value = block.Value?.Value;
        Shape? logits = block.Softmax.Input(0)!.Shape;
        IEnumerable<string> layers = new[] { query?.Layer.Name, block.QueryKey?.Key.Layer.Name, value?.Layer.Name, block.Value?.Projection.Name }.OfType<string>().Distinct();
        return new AttentionSummary(
            NameOf(block.Softmax), null, "softmax", query?.Heads ?? value?.Heads ?? 1, query?.HeadSize ?? value?.HeadSize ?? 0, null, Fixed(logits, 2), Fixed(logits, 1), null, "not read", [.. layers]);
    }

    /// <summary>Products as <see cref="FuseAttention"/> writes them for padded windows: groups and heads are one axis, positions a product with a constant basis.</summary>
    private static AttentionSummary? OfProducts(Node softmax)
    {
        if (!softmax.Is("Softmax") || softmax.Output.Uses is not [{ Node: { OpType: "MatMul", Domain: "" } context, InputIndex: 0 }] || context.Input(1)?.Shape is not { Rank: 4, IsStatic: true } value)
            return null;
        Node? logits = softmax.Input(0)!.Producer;
        bool hasPosition = logits is { OpType: "Add" } && logits.Inputs.Any(i => i!.Producer is { OpType: "MatMul" } basis && basis.Input(1)?.Constant is not null);
        Node? product = hasPosition ? logits!.Inputs.Select(i => i!.Producer!).FirstOrDefault(n => n.OpType is "MatMul" or "FusedMatMul" && n.Inputs.All(i => i!.Constant is null)) : logits;
        return product is { OpType: "MatMul" or "FusedMatMul" } && product.Inputs.All(i => i!.Constant is null)
            ? new AttentionSummary(NameOf(softmax), null, "products", (int)value[1].Value!.Value, (int)value[3].Value!.Value, null, Fixed(softmax.Output.Shape, 2), value[2].Value, 1, hasPosition ? "folded" : "none", [])
            : null;
    }

    private static AttentionSummary OfFused(Node node)
    {
        int heads = (int)node.GetInt("num_heads", 1);
        Shape? query = node.Input(0)!.Shape, key = node.Input(1)?.Shape, value = node.Input(2)?.Shape;
        long? size = Fixed(value, 1) / heads, columns = (Fixed(query, 1) / heads) - size;
        return new AttentionSummary(
            NameOf(node), null, "MultiHeadAttention", heads, (int)(size ?? 0), query?[0].Value, Fixed(query, 2), Fixed(key, 2), node.GetFloat("scale", 0), columns > 0 ? $"{columns} columns" : "none", []);
    }

    private static AttentionSummary OfBlocked(Node scan)
    {
        Graph body = scan.Subgraphs.First();
        Shape? logits = body.Nodes.First(n => n.Is("Softmax")).Input(0)!.Shape;
        Shape? context = scan.Output.Shape;
        long? heads = context?.Rank > 1 ? context[1].Value : null;
        return new AttentionSummary(NameOf(scan), null, "blocked", (int)(heads ?? 1), (int)(Fixed(context, 1) ?? 0), null, Fixed(context, 2) * Fixed(context, 3), Fixed(logits, 1), null, body.Inputs.Count > 1 ? "decomposed" : "none", []);
    }

    private static AttentionSummary OfLinear(Node division, Value query, Value sums)
    {
        long[] shape = division.Output.Shape?.ToStatic() ?? [];
        bool tokensFirst = sums.Shape is { Rank: >= 2 } s && s[^1].Value == s[^2].Value + 1;
        long? size = Fixed(sums, tokensFirst), tokens = tokensFirst ? Fixed(query.Shape, 2) : Fixed(query.Shape, 1);
        return new AttentionSummary(NameOf(division), null, "linear", (int)shape.SkipLast(2).Aggregate(1L, (product, d) => product * d), (int)(size ?? 0), 1, tokens, tokens, null, "none", []);
    }

    /// <summary>relu(q) times, or times from behind, the product of keys and values: the last but one thing before a division of channels by a sum.</summary>
    private static (Value Query, Value Sums)? LinearProducts(Node division)
    {
        if (!division.Is("Div") || division.Input(0)?.Producer is not { OpType: "Split" or "Slice" } part || part.Input(0)?.Producer is not { OpType: "MatMul" } outer)
            return null;
        for (int i = 0; i < 2; i++)
        {
            if (outer.Input(i)!.Producer is { OpType: "Relu" } && outer.Input(1 - i)!.Producer is { OpType: "MatMul" } inner && inner.Inputs.Any(x => x!.Producer is { OpType: "Transpose" or "Relu" }))
                return (outer.Input(i)!, inner.Output);
        }

        return null;
    }

    private static long? Fixed(Value sums, bool tokensFirst) => Fixed(sums.Shape, tokensFirst ? 2 : 1);

    private static long? Fixed(Shape? shape, int fromEnd) => shape is not null && shape.Rank >= fromEnd ? shape[^fromEnd].Value : null;

    private static string NameOf(Node node) => node.Name.Length > 0 ? node.Name : node.Output.Name;
}
