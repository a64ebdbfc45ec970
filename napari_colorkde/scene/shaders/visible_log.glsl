// f of the logarithmic scale: linear where it is sparse.
float visible_log(float density)
{
    return log(1.0 + density * $gain);
}
