using SamCompress.IR;

namespace SamCompress.Runtime.Inference;

/// <summary>Brings float tensors that a run left in the memory of a device to where their elements can be read.</summary>
public sealed class DeviceReader : IDisposable
{
    private readonly OnnxSession _session;

    /// <exception cref="SamCompressException">The device is not there.</exception>
    public DeviceReader(ExecutionDevice device)
    {
        using var model = new Model(10, [new OpsetImport(OperatorDomain.Onnx, 17)]);
        Value x = model.Graph.AddInput("x", ElementType.Float);
        Value y = model.Graph.Append("Identity", [x], ["y"]).Output;
        y.ElementType = ElementType.Float;
        model.Graph.AddOutput(y);
        _session = OnnxSession.Open(model, new SessionSettings { Device = device, Optimization = GraphOptimization.None });
    }

    /// <summary>A copy of the elements.</summary>
    public Tensor Read(RuntimeTensor tensor)
    {
        using RuntimeTensors copy = _session.Run(new Dictionary<string, RuntimeTensor> { ["x"] = tensor });
        return copy["y"].ToTensor();
    }

    public void Dispose() => _session.Dispose();
}
