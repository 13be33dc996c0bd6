namespace SamCompress.IR.Serialization;

/// <summary>The messages of onnx.proto that hold tensors or text, and so are walked before Google.Protobuf sees them.</summary>
internal enum WireMessage : byte
{
    None,
    Model,
    Graph,
    Node,
    Attribute,
    Function,
    Training,
    SparseTensor,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    ElementType,
    MapType,
    OpaqueType,
    Shape,
    Dimension,
    Opset,
    Annotation,
    Entry,
}

/// <summary>Which fields of a message are messages, and which are text.</summary>
internal static class WireMessages
{
    /// <summary>The message in a field; none when the field is something else, or a message that has neither tensors nor text.</summary>
    public static WireMessage Child(WireMessage parent, int field) => (parent, field) switch
    {
        (WireMessage.Model, 7) or (WireMessage.Training, 1 or 2) or (WireMessage.Attribute, 6 or 11) => WireMessage.Graph,
        (WireMessage.Model, 20) => WireMessage.Training,
        (WireMessage.Model, 25) => WireMessage.Function,
        (WireMessage.Graph, 1) or (WireMessage.Function, 7) => WireMessage.Node,
        (WireMessage.Node, 5) or (WireMessage.Function, 11) => WireMessage.Attribute,
        (WireMessage.Graph, 5) or (WireMessage.Attribute, 5 or 10) or (WireMessage.SparseTensor, 1 or 2) => WireMessage.Tensor,
        (WireMessage.Graph, 15) or (WireMessage.Attribute, 22 or 23) => WireMessage.SparseTensor,
        (WireMessage.Graph, 11 or 12 or 13) or (WireMessage.Function, 12) => WireMessage.ValueInfo,
        (WireMessage.ValueInfo, 2) or (WireMessage.Attribute, 14 or 15) or (WireMessage.ElementType, 1) or (WireMessage.MapType, 2) => WireMessage.Type,
        (WireMessage.Type, 1 or 8) => WireMessage.TensorType,
        (WireMessage.Type, 4 or 9) => WireMessage.ElementType,
        (WireMessage.Type, 5) => WireMessage.MapType,
        (WireMessage.Type, 7) => WireMessage.OpaqueType,
        (WireMessage.TensorType, 2) => WireMessage.Shape,
        (WireMessage.Shape, 1) => WireMessage.Dimension,
        (WireMessage.Model, 8) or (WireMessage.Function, 9) => WireMessage.Opset,
        (WireMessage.Graph, 14) => WireMessage.Annotation,
        (WireMessage.Model, 14) or (WireMessage.Training, 3 or 4) or (WireMessage.Function, 14) or (WireMessage.Graph, 16) or (WireMessage.Node, 9) => WireMessage.Entry,
        (WireMessage.Tensor, 13 or 16) or (WireMessage.ValueInfo, 4) or (WireMessage.Annotation, 2) => WireMessage.Entry,
        _ => WireMessage.None,
    };

    /// <summary>Whether a field is text, which must be UTF-8: Google.Protobuf would read other bytes as replacement characters.</summary>
    public static bool IsText(WireMessage message, int field) => (message, field) switch
    {
        (WireMessage.Model, 2 or 3 or 4 or 6) => true,
        (WireMessage.Graph, 2 or 10) => true,
        (WireMessage.Node, 1 or 2 or 3 or 4 or 6 or 7 or 8) => true,
        (WireMessage.Attribute, 1 or 13 or 21) => true,
        (WireMessage.Function, 1 or 4 or 5 or 6 or 8 or 10 or 13) => true,
        (WireMessage.Tensor, 8 or 12) => true,
        (WireMessage.ValueInfo, 1 or 3) => true,
        (WireMessage.Type, 6) or (WireMessage.OpaqueType, 1 or 2) or (WireMessage.Dimension, 2 or 3) => true,
        (WireMessage.Opset, 1) or (WireMessage.Annotation, 1) or (WireMessage.Entry, 1 or 2) => true,
        _ => false,
    };
}
