using SamCompress.IR.Serialization;

namespace SamCompress.IR.Tests.Text;

/// <summary>Finds the first difference between two models in everything that the text syntax carries. Numbers are compared by their bits.</summary>
internal static class ModelComparison
{
    public static string? Difference(Model a, Model b) =>
        First(
            Same("IR version", a.IrVersion, b.IrVersion),
            SameList("opsets", a.OpsetImports, b.OpsetImports),
            SameList("metadata", a.Metadata, b.Metadata),
            Same("producer", (a.ProducerName, a.ProducerVersion), (b.ProducerName, b.ProducerVersion)),
            Same("domain", (a.Shell.Domain, a.Shell.ModelVersion, a.Shell.DocString), (b.Shell.Domain, b.Shell.ModelVersion, b.Shell.DocString)),
            Graphs(a.Graph, b.Graph),
            Same("functions", a.Functions.Count, b.Functions.Count))
        ?? a.Functions.Zip(b.Functions, Functions).FirstOrDefault(d => d is not null);

    private static string? Functions(Function a, Function b) =>
        First(
            Same("function", (a.Domain, a.Name, a.Overload), (b.Domain, b.Name, b.Overload)),
            SameList("function attributes", a.AttributeNames, b.AttributeNames),
            Same("function defaults", a.Shell.AttributeProto, b.Shell.AttributeProto),
            SameList("function opsets", a.OpsetImports, b.OpsetImports),
            Graphs(a.Body, b.Body));

    private static string? Graphs(Graph a, Graph b) =>
        First(
            Same("graph", a.Name, b.Name),
            Values("inputs", a.Inputs, b.Inputs),
            Values("outputs", a.Outputs, b.Outputs),
            Values("initializers", a.Initializers, b.Initializers),
            Same("sparse initializers", a.Shell.SparseInitializer.Count, b.Shell.SparseInitializer.Count),
            Same("nodes", a.Nodes.Count, b.Nodes.Count))
        ?? a.Shell.SparseInitializer.Zip(b.Shell.SparseInitializer, SparseTensors).FirstOrDefault(d => d is not null)
        ?? a.Initializers.Zip(b.Initializers, (x, y) => In(x.Name, Tensors(x.Initializer!, y.Initializer!))).FirstOrDefault(d => d is not null)
        ?? a.Nodes.Zip(b.Nodes, (x, y) => In(x.ToString(), Nodes(x, y))).FirstOrDefault(d => d is not null);

    private static string? Nodes(Node a, Node b) =>
        First(
            Same("operator", (a.Domain, a.OpType, a.Shell.Overload, a.Name), (b.Domain, b.OpType, b.Shell.Overload, b.Name)),
            SameList("inputs", a.Inputs.Select(v => v?.Name), b.Inputs.Select(v => v?.Name)),
            Values("outputs", a.Outputs, b.Outputs),
            SameList("attributes", a.Attributes.Select(t => t.Name), b.Attributes.Select(t => t.Name)))
        ?? a.Attributes.Zip(b.Attributes, (x, y) => In(x.Name, Attributes(x, y))).FirstOrDefault(d => d is not null);

    private static string? Attributes(NodeAttribute a, NodeAttribute b) =>
        First(
            Same("kind", (a.Kind, a.Reference), (b.Kind, b.Reference)),
            Same("float", BitConverter.SingleToUInt32Bits(a.Float), BitConverter.SingleToUInt32Bits(b.Float)),
            Same("int", a.Int, b.Int),
            Same("string", Convert.ToHexString(a.StringBytes.Span), Convert.ToHexString(b.StringBytes.Span)),
            SameList("floats", a.Floats.Select(BitConverter.SingleToUInt32Bits), b.Floats.Select(BitConverter.SingleToUInt32Bits)),
            SameList("ints", a.Ints, b.Ints),
            SameList("strings", a.Shell.Strings, b.Shell.Strings),
            Same("type", a.Shell.Tp, b.Shell.Tp),
            SameList("types", a.Shell.TypeProtos, b.Shell.TypeProtos),
            Same("tensors", a.Tensors.Count, b.Tensors.Count),
            Same("graphs", a.Graphs.Count, b.Graphs.Count),
            Same("sparse", (a.Shell.SparseTensor is null, a.Shell.SparseTensors.Count), (b.Shell.SparseTensor is null, b.Shell.SparseTensors.Count)),
            a.Shell.SparseTensor is { } sparse && b.Shell.SparseTensor is { } other ? SparseTensors(sparse, other) : null)
        ?? a.Shell.SparseTensors.Zip(b.Shell.SparseTensors, SparseTensors).FirstOrDefault(d => d is not null)
        ?? a.Tensors.Zip(b.Tensors, (x, y) => First(Same("name", x.Name, y.Name), Tensors(x, y))).FirstOrDefault(d => d is not null)
        ?? a.Graphs.Zip(b.Graphs, Graphs).FirstOrDefault(d => d is not null);

    private static string? Values(string what, IReadOnlyList<Value?> a, IReadOnlyList<Value?> b) =>
        First(
            SameList(what, a.Select(v => v?.Name), b.Select(v => v?.Name)),
            SameList(what, a.Select(v => (v?.ElementType, v?.Shape)), b.Select(v => (v?.ElementType, v?.Shape))),
            SameList(what, a.Select(Undense), b.Select(Undense)));

    /// <summary>The type of a value that is no tensor.</summary>
    private static TypeProto? Undense(Value? value) => value?.Declaration?.Type is { } type && type.TensorType is null && type.ValueCase != 0 ? type : null;

    private static string? Tensors(Tensor a, Tensor b)
    {
        if (Same("tensor", a.ToString(), b.ToString()) is { } different)
            return different;
        if (a.ElementType == ElementType.String)
            return SameList("strings", a.Shell!.StringData, b.Shell!.StringData);
        using TensorLease first = a.Open();
        using TensorLease second = b.Open();
        return first.Bytes.SequenceEqual(second.Bytes) ? null : "bytes differ";
    }

    private static string? SparseTensors(SparseTensorProto a, SparseTensorProto b) =>
        First(SameList("dims", a.Dims, b.Dims), Messages(a.Values, b.Values), Messages(a.Indices, b.Indices));

    private static string? Messages(TensorProto? a, TensorProto? b) =>
        a is null || b is null
            ? Same("presence", a is null, b is null)
            : First(Same("name", a.Name, b.Name), Tensors(new InlineTensor((ElementType)a.DataType, [.. a.Dims], a), new InlineTensor((ElementType)b.DataType, [.. b.Dims], b)));

    private static string? Same<T>(string what, T a, T b) => EqualityComparer<T>.Default.Equals(a, b) ? null : $"{what}: {a} / {b}";

    private static string? SameList<T>(string what, IEnumerable<T> a, IEnumerable<T> b) =>
        a.SequenceEqual(b) ? null : $"{what}: [{string.Join(", ", a)}] / [{string.Join(", ", b)}]";

    private static string? In(string place, string? difference) => difference is null ? null : $"{place}: {difference}";

    private static string? First(params ReadOnlySpan<string?> differences)
    {
        foreach (string? difference in differences)
        {
            if (difference is not null)
                return difference;
        }

        return null;
    }
}
