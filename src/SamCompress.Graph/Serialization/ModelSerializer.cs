using System.Globalization;

namespace SamCompress.IR.Serialization;

/// <summary>Makes the messages from the IR; big tensor bytes become tokens of <see cref="Lifted"/>.</summary>
internal sealed class ModelSerializer
{
    private const int External = 1;

    private readonly Func<Value, ExternalPlace?>? _detach;

    /// <param name="detach">Says where the data of an initializer of the main graph goes, or null to keep it inline.</param>
    public ModelSerializer(Model model, Func<Value, ExternalPlace?>? detach)
    {
        _detach = detach;
        Lifted = new LiftedTensors(model.Lifted);
        Skeleton = model.Shell.Clone();
        Skeleton.Graph = Write(model.Graph, isMain: true);
        Skeleton.Functions.AddRange(model.Functions.Select(Write));
    }

    public LiftedTensors Lifted { get; }

    public ModelProto Skeleton { get; }

    private FunctionProto Write(Function function)
    {
        GraphProto body = Write(function.Body, isMain: false);
        FunctionProto proto = function.Shell.Clone();
        proto.Input.AddRange(body.Input.Select(i => i.Name));
        proto.Output.AddRange(body.Output.Select(o => o.Name));
        proto.Node.AddRange(body.Node);
        proto.ValueInfo.AddRange(body.ValueInfo);
        return proto;
    }

    private GraphProto Write(Graph graph, bool isMain)
    {
        GraphProto proto = graph.Shell.Clone();
        proto.Input.AddRange(graph.Inputs.Select(v => TypeMessages.Write(v, v.Declaration)));
        proto.Output.AddRange(graph.Outputs.Select(v => TypeMessages.Write(v, v.OutputDeclaration)));
        foreach ((Value? value, ValueInfoProto declaration) in graph.Declarations)
        {
            if (value is null)
                proto.ValueInfo.Add(declaration);
            else if (value.Graph is not null)
                proto.ValueInfo.Add(TypeMessages.Write(value, declaration));
        }

        foreach (Value value in graph.Initializers)
            proto.Initializer.Add(Write(value.Initializer!, value.Name, isMain ? _detach?.Invoke(value) : null));
        foreach (Node node in graph.Nodes)
            proto.Node.Add(Write(node));
        return proto;
    }

    private NodeProto Write(Node node)
    {
        NodeProto proto = node.Shell.Clone();
        proto.Input.AddRange(node.Inputs.Select(v => v?.Name ?? ""));
        proto.Output.AddRange(node.Outputs.Select(v => v?.Name ?? ""));
        foreach (NodeAttribute attribute in node.Attributes)
            proto.Attribute.Add(Write(attribute));
        return proto;
    }

    private AttributeProto Write(NodeAttribute attribute)
    {
        if (attribute.Tensors.Count == 0 && attribute.Graphs.Count == 0)
            return attribute.Shell;
        AttributeProto proto = attribute.Shell.Clone();
        if (attribute.Kind == AttributeKind.Tensors)
            proto.Tensors.AddRange(attribute.Tensors.Select(t => Write(t, null, null)));
        else if (attribute.Tensors.Count > 0)
            proto.T = Write(attribute.Tensors[0], null, null);
        if (attribute.Kind == AttributeKind.Graphs)
            proto.Graphs.AddRange(attribute.Graphs.Select(g => Write(g, isMain: false)));
        else if (attribute.Graphs.Count > 0)
            proto.G = Write(attribute.Graphs[0], isMain: false);
        return proto;
    }

    private TensorProto Write(Tensor tensor, string? name, ExternalPlace? place)
    {
        TensorProto proto = tensor.Shell?.Clone() ?? new TensorProto { DataType = (int)tensor.ElementType };
        if (tensor.Shell is null)
            proto.Dims.AddRange(tensor.Dimensions);
        if (name is not null)
            proto.Name = name;
        if (tensor is MissingTensor || (tensor is InlineTensor { Shell: not null } or StringTensor && place is null))
            return proto;
        proto.ClearDataLocation();
        if (place is null)
        {
            proto.ExternalData.Clear();
            proto.RawData = Lifted.Add(tensor.ByteLength, tensor.CopyTo);
            return proto;
        }

        ClearData(proto);
        proto.DataLocation = External;
        StringStringEntryProto[] unknown = [.. proto.ExternalData.Where(e => e.Key is not ("location" or "offset" or "length" or "checksum"))];
        proto.ExternalData.Clear();
        AddEntry(proto, "location", place.Location);
        AddEntry(proto, "offset", place.Offset.ToString(CultureInfo.InvariantCulture));
        AddEntry(proto, "length", tensor.ByteLength.ToString(CultureInfo.InvariantCulture));
        proto.ExternalData.AddRange(unknown);
        return proto;
    }

    private static void ClearData(TensorProto proto)
    {
        proto.ClearRawData();
        proto.FloatData.Clear();
        proto.Int32Data.Clear();
        proto.Int64Data.Clear();
        proto.DoubleData.Clear();
        proto.Uint64Data.Clear();
    }

    private static void AddEntry(TensorProto proto, string key, string value) =>
        proto.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
}
