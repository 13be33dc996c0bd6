using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Finds Softmax attention and the Linear layers around it:
/// projection(merge heads(Softmax(scale * q.k + anything) . v)) with q, k, v = split heads(Linear(x)), fused in one Linear or not.
/// </summary>
/// <remarks>
/// Knows no exporter's way to write it: layers and products are found along the graph, and which column of a Linear becomes which head and channel is
/// computed (<see cref="ChannelMap"/>). Each head and channel must come from one column, the same one for all tokens. Needs inferred shapes.
/// </remarks>
public sealed class AttentionFinder
{
    private const int FarthestSearched = 24;

    private readonly Model _model;
    private readonly AxisSizes _sizes = new();
    private readonly Dictionary<Value, QuantizableLayer> _layersByOutput = [];
    private readonly Dictionary<Node, QuantizableLayer> _layersByNode = [];
    private readonly Dictionary<QuantizableLayer, IReadOnlyList<ChannelReading>> _readings = [];

    private AttentionFinder(Model model)
    {
        _model = model;
        foreach (QuantizableLayer layer in LayerFinder.Find(model.Graph).Where(l => l.Kind == LayerKind.Linear))
        {
            _layersByOutput[layer.Output] = layer;
            _layersByNode[layer.Node] = layer;
        }
    }

    /// <summary>Looks at every Softmax of the model's graph; subgraphs are left alone.</summary>
    public static AttentionView Find(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var finder = new AttentionFinder(model);
        var blocks = new List<AttentionBlock>();
        var misses = new List<AttentionMiss>();
        foreach (Node softmax in model.Graph.Nodes.Where(n => n.Is("Softmax")))
        {
            (QueryKeyProduct? queryKey, string whyNoQueryKey) = finder.QueryKey(softmax);
            (ValueProduct? value, string whyNoValue) = finder.Value(softmax);
            if (queryKey is null)
                misses.Add(new AttentionMiss(softmax, AttentionMiss.QueryAndKey, whyNoQueryKey));
            if (value is null)
                misses.Add(new AttentionMiss(softmax, AttentionMiss.ValueAndProjection, whyNoValue));
            if (queryKey is not null || value is not null)
                blocks.Add(new AttentionBlock(softmax, queryKey, value));
        }

        return new AttentionView(blocks, misses);
    }

    private (QueryKeyProduct? Found, string Why) QueryKey(Node softmax)
    {
        if (!IsOverLastAxis(softmax))
            return (null, "the Softmax is not over the last axis");
        Node[] products = [.. ProductsBehind(softmax.Input(0)!, FarthestSearched).Distinct()];
        if (products.Length != 1)
            return (null, products.Length == 0 ? "no product of two activations is found behind the Softmax" : "several products are added up behind the Softmax");
        Node product = products[0];
        (AttentionOperand? query, string why) = Operand(product, 0, "query");
        if (query is null)
            return (null, why);
        (AttentionOperand? key, why) = Operand(product, 1, "key");
        if (key is null)
            return (null, why);
        if (query.Place != key.Place || query.HeadSize != key.HeadSize)
            return (null, "query and key have different heads");
        Node? scale = product.Output is { IsGraphOutput: false, Uses: [{ Node: { OpType: "Mul" or "Div", Domain: "" } only }] } && ConstantOperand(only) is not null ? only : null;
        return (new QueryKeyProduct { Node = product, Query = query, Key = key, LogitScale = scale, NotShiftInvariant = WhyNotShiftInvariant(product, softmax) }, "");
    }

    private (ValueProduct? Found, string Why) Value(Node softmax)
    {
        if (!IsOverLastAxis(softmax))
            return (null, "the Softmax is not over the last axis");
        IReadOnlyList<ChannelReading> weights = new ChannelFlow(FlowOperators.MovementOnly, _sizes).Readings(softmax.Output, -1);
        if (weights is not [{ Reader: { OpType: "MatMul", Domain: "" } product, InputIndex: 0, Map: { } map }] || !IsWholeLastAxis(map, softmax.Output))
            return (null, "the output of the Softmax is not the left operand of one product");
        (AttentionOperand? value, string why) = Operand(product, 1, "value");
        if (value is null)
            return (null, why);
        if (HeadsOf(product, value) is not { } heads)
            return (null, "the product has other axes than its value");
        IReadOnlyList<ChannelReading> readings = new ChannelFlow(FlowOperators.MovementOnly, _sizes).Readings(product.Output, heads);
        if (readings is not [{ Reader: { } reader, InputIndex: 0, Map: { } merged }] || !_layersByNode.TryGetValue(reader, out QuantizableLayer? projection))
            return (null, readings.FirstOrDefault(r => r.Reader is null || !_layersByNode.ContainsKey(r.Reader))?.ToString() ?? "no single Linear reads the product");
        if (Enumerable.Range(0, merged.Rank - 1).Any(merged.HasChannels) || merged.Size(merged.Rank - 1) != value.Columns.Length)
            return (null, "the input channels of the projection are not the heads of the value");
        long[] channels = merged.Along(merged.Rank - 1);
        var rows = new int[channels.Length];
        for (int i = 0; i < rows.Length; i++)
            rows[channels[i] + merged.Offset] = i;
        return (new ValueProduct { Node = product, Value = value, Projection = projection, Rows = [.. rows] }, "");
    }

    private bool IsOverLastAxis(Node softmax)
    {
        long axis = softmax.GetInt("axis", _model.Opset() < 13 ? 1 : -1);
        return axis == -1 || (softmax.Input(0)?.Shape is { } shape && axis == shape.Rank - 1);
    }

    /// <summary>Products of two activations whose results reach the value by moving, scaling and adding.</summary>
    private static IEnumerable<Node> ProductsBehind(Value value, int steps)
    {
        if (value.Producer is not { Domain: "" } node || steps == 0)
            return [];
        return node.OpType switch
        {
            "MatMul" => node.Inputs.All(i => i!.Constant is null) ? [node] : [],
            "Reshape" or "Transpose" or "Squeeze" or "Unsqueeze" or "Identity" or "Flatten" => ProductsBehind(node.Input(0)!, steps - 1),
            "Add" or "Sub" => node.Inputs.SelectMany(i => ProductsBehind(i!, steps - 1)),
            "Mul" or "Div" when ConstantOperand(node) is { } place => ProductsBehind(node.Input(1 - place)!, steps - 1),
            _ => [],
        };
    }

    /// <summary>The columns of a Linear that an operand of a product is made of.</summary>
    private (AttentionOperand? Found, string Why) Operand(Node product, int index, string role)
    {
        if (LayerBehind(product.Input(index)!, FarthestSearched) is not { } layer)
            return (null, $"no Linear is found behind the {role}");
        ChannelReading[] here = [.. Readings(layer).Where(r => r.Reader == product && r.InputIndex == index)];
        if (here is not [{ Map: { Rank: >= 2 } map } reading])
            return (null, $"the columns of the {role} cannot be followed to the product");
        int channelAxis = map.Rank - (role == "key" ? 2 : 1), tokenAxis = map.Rank - (role == "key" ? 1 : 2);
        if (map.HasChannels(tokenAxis))
            return (null, $"tokens of the {role} have different columns");
        (int Axis, int Digit)[] heads =
        [
            .. Enumerable.Range(0, map.Rank - 2)
                .SelectMany(a => Enumerable.Range(0, map.Axes[a].Length).Where(d => map.Axes[a][d].Stride != 0).Select(d => (a, d))),
        ];
        if (heads.Length > 1)
            return (null, $"the heads of the {role} are not in one place");
        long[] channels = map.Along(channelAxis);
        HeadPlace? place = null;
        long[] starts = [0];
        if (heads is [(int axis, int digit)])
        {
            AxisDigit head = map.Axes[axis][digit];
            place = new HeadPlace(axis - map.Rank, map.Axes[axis][(digit + 1)..].Aggregate(1L, (product, d) => product * d.Size), head.Size);
            starts = [.. Enumerable.Range(0, (int)head.Size).Select(h => h * head.Stride)];
        }

        int[] columns = [.. starts.SelectMany(start => channels.Select(channel => (int)(map.Offset + start + channel)))];
        if (columns.Distinct().Count() != columns.Length)
            return (null, $"channels of the {role} share a column");
        HashSet<long> own = [.. columns.Select(c => (long)c)];
        ChannelReading[] others = [.. Readings(layer).Where(r => r != reading && (r.Map is null || r.Map.Channels().Any(own.Contains)))];
        return (new AttentionOperand { Layer = layer, Columns = [.. columns], HeadSize = channels.Length, Place = place, Reading = reading, OtherReadings = others }, "");
    }

    private QuantizableLayer? LayerBehind(Value value, int steps)
    {
        if (_layersByOutput.TryGetValue(value, out QuantizableLayer? layer))
            return layer;
        if (value.Producer is not { Domain: "" } node || steps == 0)
            return null;
        return node.OpType switch
        {
            "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Transpose" or "Identity" or "Split" or "Slice" or "Gather" => LayerBehind(node.Input(0)!, steps - 1),
            "Mul" or "Div" when ConstantOperand(node) is { } place => LayerBehind(node.Input(1 - place)!, steps - 1),
            _ => null,
        };
    }

    private IReadOnlyList<ChannelReading> Readings(QuantizableLayer layer)
    {
        if (!_readings.TryGetValue(layer, out IReadOnlyList<ChannelReading>? readings))
            _readings[layer] = readings = new ChannelFlow(FlowOperators.Scaling, _sizes).Readings(layer.Output, -1);
        return readings;
    }

    /// <summary>A constant for each query, added to the product, must arrive in the Softmax as a constant along its axis, and nowhere else.</summary>
    private string? WhyNotShiftInvariant(Node product, Node softmax)
    {
        IReadOnlyList<ChannelReading> readings = new ChannelFlow(FlowOperators.Scaling | FlowOperators.Addition, _sizes).Readings(product.Output, -1);
        if (readings.FirstOrDefault(r => r.Reader != softmax) is { } other)
            return $"the logits are read by more than the Softmax: {other}";
        if (readings is not [{ Map: { } map } reading] || !IsWholeLastAxis(map, product.Output))
            return "the keys are not along the axis of the Softmax";
        Node? uneven = reading.Path.Select(step => step.Node).FirstOrDefault(n => n.OpType is "Mul" or "Div" && !IsEvenOverKeys(n, product));
        return uneven is null ? null : $"{uneven} may scale each key in another way";
    }

    /// <summary>Whether a constant scales all keys alike: it is a scalar, or stands right behind the product and has one element along the keys.</summary>
    private static bool IsEvenOverKeys(Node scale, Node product)
    {
        int place = ConstantOperand(scale)!.Value;
        Tensor constant = scale.Input(place)!.Constant!;
        return constant.Count == 1 || (scale.Input(1 - place) == product.Output && constant.Dimensions[^1] == 1);
    }

    private bool IsWholeLastAxis(ChannelMap map, Value source) =>
        map.Offset == 0 && !Enumerable.Range(0, map.Rank - 1).Any(map.HasChannels) && map.Axes[^1] is [{ Stride: 1 } keys] && keys.Size == _sizes.Of(source)?[^1];

    /// <summary>The map of a product of attention weights with a value, its channels numbered head * head size + channel.</summary>
    private ChannelMap? HeadsOf(Node product, AttentionOperand value)
    {
        ChannelMap operand = value.Reading.Map!;
        if (_sizes.Of(product.Output) is not { } sizes || sizes.Length != operand.Rank || sizes[^1] != value.HeadSize)
            return null;
        for (int axis = 0; axis < sizes.Length - 2; axis++)
        {
            if (sizes[axis] != operand.Size(axis))
                return null;
        }

        return ChannelMap.Of(0, operand.Axes.Select((digits, axis) =>
            axis == sizes.Length - 1 ? [new AxisDigit(value.HeadSize, 1)]
            : axis == sizes.Length - 2 ? [new AxisDigit(sizes[axis], 0)]
            : digits.Select(d => d with { Stride = d.Stride == 0 ? 0 : value.HeadSize })));
    }

    /// <summary>Which input of a Mul or Div is a constant factor of the other.</summary>
    private static int? ConstantOperand(Node node) => node.Input(1)?.Constant is not null ? 1 : node.OpType == "Mul" && node.Input(0)?.Constant is not null ? 0 : null;
}
