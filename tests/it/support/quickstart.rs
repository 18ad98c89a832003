use super::{
    example::{Example, example},
    server::client,
};

pub(crate) struct Quickstart(pub(crate) Example);

impl Quickstart {
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        Self(Example::start(example("quickstart"), environment))
    }

    pub(crate) async fn order(&self, what: &str) -> (u16, String) {
        let request = client().post(self.0.url()).body(what.to_owned());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}
