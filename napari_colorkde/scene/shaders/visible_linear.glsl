// f of the linear scale; gain brings typical densities to 1.
float visible_linear(float density)
{
    return density * $gain;
}
