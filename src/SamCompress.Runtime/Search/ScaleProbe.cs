using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Search;

/// <summary>
/// An encoder in floating point whose activation grids are inputs, and to whose layers noise can be added, so that one session serves every question about
/// its scales. What a grid does is computed as Clip, Div, Round, Mul: the values are those of Q/DQ.
/// </summary>
internal sealed class ScaleProbe : IDisposable
{
    private readonly OnnxSession _session;
    private readonly string _image;
    private readonly Dictionary<string, GridInputs> _grids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _noises = new(StringComparer.Ordinal);

    /// <param name="model">Is changed, and must live longer.</param>
    /// <param name="values">The activations that get a grid, by name.</param>
    /// <param name="layers">The layers that can get noise, by the names of their nodes' outputs.</param>
    public ScaleProbe(Model model, IEnumerable<string> values, IEnumerable<string> layers, SessionSettings settings)
    {
        Graph graph = model.Graph;
        _image = graph.Inputs.First(i => i.Initializer is null).Name;
        Dictionary<string, QuantizableLayer> known = LayerFinder.Find(graph).ToDictionary(l => l.Node.Output.Name, StringComparer.Ordinal);
        HashSet<Node> readers = [.. known.Values.Select(l => l.Node)];
        Dictionary<string, Value> byName = graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Concat(graph.Inputs).DistinctBy(v => v.Name).ToDictionary(v => v.Name, StringComparer.Ordinal);
        foreach (string layer in layers)
            AddNoise(graph, known[layer]);
        foreach (string name in values)
            AddGrid(graph, byName[name], readers);
        _session = OnnxSession.Open(model, settings);
        EmbeddingsOutput = graph.Outputs.FirstOrDefault(o => o.Name == Prompts.DecoderInterface.ImageEmbeddings)?.Name ?? graph.Outputs[0].Name;
    }

    private sealed record GridInputs(string Min, string Max, string Scale);

    public string EmbeddingsOutput { get; }

    /// <param name="grids">One for each value.</param>
    /// <param name="noise">What is added to the output of one layer, or null.</param>
    public RuntimeTensors Run(RuntimeTensor image, IReadOnlyDictionary<string, QuantizationGrid> grids, (string Layer, float[] Elements, long[] Shape)? noise, CancellationToken cancellation)
    {
        var inputs = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal);
        try
        {
            foreach ((string value, GridInputs names) in _grids)
            {
                QuantizationGrid grid = grids[value];
                inputs.Add(names.Min, RuntimeTensor.Scalar(grid.Min));
                inputs.Add(names.Max, RuntimeTensor.Scalar(grid.Max));
                inputs.Add(names.Scale, RuntimeTensor.Scalar(grid.Scale));
            }

            foreach ((string layer, string input) in _noises)
                inputs.Add(input, noise is { } added && added.Layer == layer ? RuntimeTensor.Of(added.Elements, added.Shape) : RuntimeTensor.Of([0f], 1));
            return _session.Run(new Dictionary<string, RuntimeTensor>(inputs, StringComparer.Ordinal) { [_image] = image }, cancellationToken: cancellation);
        }
        finally
        {
            foreach (RuntimeTensor input in inputs.Values)
                input.Dispose();
        }
    }

    public void Dispose() => _session.Dispose();

    private void AddNoise(Graph graph, QuantizableLayer layer)
    {
        Value output = layer.Output;
        string name = graph.FreshName("samcompress_noise");
        Value noise = graph.AddInput(name, ElementType.Float);
        Node add = graph.InsertBefore(output.Producer!.Next, "Add", [output, noise], [graph.FreshName("samcompress_noisy")]);
        add.Output.ElementType = ElementType.Float;
        add.Output.Shape = output.Shape;
        foreach (Use use in output.Uses.Where(u => u.Node != add).ToArray())
            use.Node.ReplaceInput(use.InputIndex, add.Output);
        _noises.Add(layer.Node.Output.Name, name);
    }

    /// <summary>Rounds what layers read of a value; where none reads it, a layer gives it as integers, and all its users read those.</summary>
    private void AddGrid(Graph graph, Value value, HashSet<Node> readers)
    {
        Use[] here = [.. value.Uses.Where(u => u.Node.Graph == graph)], uses = [.. here.Where(u => readers.Contains(u.Node))];
        if (uses.Length == 0)
            uses = here;
        if (uses.Length == 0)
            return;
        Value min = Input("_min"), max = Input("_max"), scale = Input("_scale");
        Node first = graph.Nodes.First(n => uses.Any(u => u.Node == n));
        Value clipped = Insert("Clip", value, min, max), codes = Insert("Round", Insert("Div", clipped, scale)), rounded = Insert("Mul", codes, scale);
        foreach (Use use in uses)
            use.Node.ReplaceInput(use.InputIndex, rounded);
        _grids.Add(value.Name, new GridInputs(min.Name, max.Name, scale.Name));

        Value Input(string suffix) => graph.AddInput(graph.FreshName("samcompress_grid" + suffix), ElementType.Float, Shape.Of());

        Value Insert(string opType, params Value[] inputs) => graph.InsertBefore(first, opType, inputs, [graph.FreshName("samcompress_rounded")]).Output;
    }
}
